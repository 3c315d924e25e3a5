"""HTTP exchanges as JSON, and their findings as lines."""

from inetcli.protocols.http.model import Exchange, Finding
from inetcli.wire.escape import escape


def format_finding(finding: Finding) -> str:
    """Format `error @17  cl-and-te  Content-Length beside ... (RFC 9112 6.3)`."""
    return escape(f"{finding.severity} @{finding.offset}  {finding.id}  {finding.message} (RFC {finding.section})")


def exchange_to_json(exchange: Exchange) -> dict[str, object]:
    """Return the fields of `http raw` besides the common ones."""
    return {
        "responses": [
            {
                "status": response.head.status,
                "reason": response.head.reason,
                "version": response.head.version,
                "headers": [list(pair) for pair in response.head.headers],
                "framing": str(response.framing),
                "interim": response.head.interim,
                "body_bytes": response.body_bytes,
                "trailers": [list(pair) for pair in response.trailers],
                "start": response.head.start,
                "end": response.end,
            }
            for response in exchange.responses
        ],
        "findings": [
            {
                "id": finding.id,
                "severity": str(finding.severity),
                "offset": finding.offset,
                "section": finding.section,
                "message": finding.message,
            }
            for finding in exchange.findings
        ],
        "sent_bytes": exchange.sent_bytes,
        "received_bytes": exchange.received_bytes,
    }
