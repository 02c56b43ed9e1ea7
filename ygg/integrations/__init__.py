"""Other libraries over the overlay; each module needs the library it is named after, and says so when it is missing."""
