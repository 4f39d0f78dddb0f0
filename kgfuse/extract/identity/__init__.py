"""Which names mean one thing: within a document, across all of them, and in gazetteers."""
