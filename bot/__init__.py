"""Everything a person talks to: Telegram, the terminal and the `lotse` command."""
