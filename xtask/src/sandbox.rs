//! The sandbox that the scenarios test: bubblewrap is used where it works, installed where it can be, and where neither
//! is so, what is not tested is named.

use crate::debian;
use crate::workspace::output;
use std::process::Command;

/// Sees to it that bubblewrap is there, or says what goes untested.
pub fn find_or_install() {
    if works() {
        return;
    }
    match debian::install("bubblewrap") {
        Ok(_) if works() => return,
        Ok(true) => eprintln!("the bubblewrap that apt-get installed does not work here"),
        Ok(false) => {}
        Err(error) => eprintln!("{error:#}"),
    }
    println!(
        "warning: there is no bubblewrap that works, so every scenario runs without a sandbox, and those about the\n\
         warning: sandbox itself are NOT TESTED; each says SKIPPED. Install the package `bubblewrap` of your system and\n\
         warning: allow user namespaces, then run this again."
    );
}

fn works() -> bool {
    let arguments = "--unshare-all --unshare-user --ro-bind / / --proc /proc --dev /dev -- true";
    output(Command::new("bwrap").args(arguments.split(' '))).is_some()
}
