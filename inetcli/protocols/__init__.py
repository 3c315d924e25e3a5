"""One folder a protocol, each with model, wire, client, view, jobs and commands."""
