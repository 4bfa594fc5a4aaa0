//! `scripts/bench`: the comparison, and the processes that it starts.

#![forbid(unsafe_code)]

use gatehouse_bench::{Outcome, edge, run, runtime, upstream};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["edge", listen, upstream, folder] => {
            edge::main(listen.parse()?, upstream.parse()?, folder.as_ref(), String::new)
        }
        ["upstream", listen] => runtime()?.block_on(upstream::main(listen.parse()?)),
        ["run", options @ ..] => runtime()?.block_on(run::main(&run::Options::parse(options)?)),
        _ => Err("usage: gatehouse-bench run [OPTION...]; scripts/bench knows the options".into()),
    }
}
