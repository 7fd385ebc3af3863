"""What a difference between two lines is worth: tests over seeds, corrected, and what curves come to as one number."""
