"""One router a conversation. Handlers are thin: parse, ask a service, render into the turn."""
