"""What is in a model: text, a picture, parts of it."""
