"""What the assistant knows: guides, question banks, figures and the taxonomy, with their schema and checks."""
