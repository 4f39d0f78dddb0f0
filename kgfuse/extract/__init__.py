"""From sources to facts: extractors propose mentions and statements, resolution names things, the gate decides."""
