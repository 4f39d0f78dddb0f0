"""Why an answer is what it is: shares of the modalities, effects of statements, evidence chains."""
