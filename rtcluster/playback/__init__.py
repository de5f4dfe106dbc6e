"""Sound that the program makes: clicks on hits, a tone for each class, pings for a round trip."""
