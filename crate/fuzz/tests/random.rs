//! Every check on random bytes, with any compiler and without a fuzzer. `FUZZ_RUNS` says how many inputs each
//! gets; a failure prints the one that caused it, as a fuzzer would write it to a file.

use segrad_fuzz::input::Input;
use std::panic::catch_unwind;

fn run(name: &str, check: fn(&[u8])) {
    let runs: usize = std::env::var("FUZZ_RUNS").map_or(200, |runs| runs.parse().expect("FUZZ_RUNS is a number"));
    for seed in 0..runs as u64 {
        let seed = seed.to_be_bytes();
        let mut input = Input::new(&seed);
        let length = 8 + input.any_below(56);
        let bytes: Vec<u8> = (0..length).map(|_| input.random() as u8).collect();
        if catch_unwind(|| check(&bytes)).is_err() {
            panic!("{name} failed on {bytes:02x?}");
        }
    }
}

macro_rules! targets { ($($name:ident)*) => { $(
    #[test]
    fn $name() {
        run(stringify!($name), segrad_fuzz::$name::check);
    }
)* } }
targets! { objective distance unet surface sort lovasz interleaved }
