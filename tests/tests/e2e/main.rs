//! End to end: the real gateway, the real program, the real browser, on machines of their own.
#![cfg(target_os = "linux")]

mod kit;
