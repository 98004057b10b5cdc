//! The example runs and prints what it should.

use std::process::Command;

#[test]
fn words_are_counted() {
    let output = Command::new(env!("CARGO_BIN_EXE_embed"))
        .arg("one two  three")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "one\ntwo\nthree\n3 words\n"
    );
}
