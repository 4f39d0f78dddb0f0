"""Text2KGBench: its files, its scorer, and a stricter one."""
