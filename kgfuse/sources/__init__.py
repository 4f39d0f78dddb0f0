"""Files become texts and pictures: what a file is, its text as stored once, and the way back to where that stands."""
