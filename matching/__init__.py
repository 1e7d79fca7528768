"""Places and partners: who could take part, and where they are."""
