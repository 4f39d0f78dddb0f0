"""Speech to text: recordings become transcripts whose words have their seconds."""
