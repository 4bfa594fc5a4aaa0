//! The edge from outside: real TLS clients, HTTP/1.1 and HTTP/2, WebSockets, and a gateway that records every byte.

mod kit;

mod basics;
mod identity;
mod lifecycle;
mod plain;
mod restart;
mod streaming;
mod websocket;
mod websocket_h2;
