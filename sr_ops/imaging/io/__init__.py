"""Files: pictures, what they say about themselves, and videos."""
