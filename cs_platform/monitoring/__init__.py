"""What an operator watches: health checks, metrics and the request log."""
