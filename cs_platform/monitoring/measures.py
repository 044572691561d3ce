"""The measurements that /metrics shows."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter(
    "cs_http_requests", "Requests by method, URL pattern and status.", ["method", "route", "status"]
)
SECONDS = Histogram(
    "cs_http_request_seconds",
    "Server time of a request by URL pattern.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
