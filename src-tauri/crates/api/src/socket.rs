//! The control socket: HTTP/1.1 over a Unix socket, `POST /v1/call` and `GET /v1/events`.
