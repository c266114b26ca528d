"""Speed, memory and quality, measured beside peers and floors; each module is a command."""
