"""One folder a protocol, each with model, wire, client, view and commands."""
