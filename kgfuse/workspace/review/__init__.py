"""Review: people accept, reject or correct what was extracted; the most informative first."""
