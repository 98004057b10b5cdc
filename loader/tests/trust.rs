//! Without a signature by a trusted key, the safe interface runs nothing.

#![cfg(feature = "signatures")]

mod support;

use ed25519_compact::{KeyPair, Seed};
use precast_format::envelope::Signature;
use precast_loader::{LoadError, Source, Trust, Untrusted};
use support::{builder, runtime};

fn keys(seed: u8) -> KeyPair {
    KeyPair::from_seed(Seed::new([seed; 32]))
}

/// An artifact with a signature by the holder of the keys.
fn signed(keys: &KeyPair) -> Vec<u8> {
    let mut bytes = builder().write().expect("the artifact is well formed");
    let signature = *keys.sk.sign(&bytes, None);
    let trailer = Signature {
        public_key: *keys.pk,
        signature,
    }
    .to_trailer();
    bytes.extend_from_slice(&trailer);
    bytes
}

/// Loads what has to be signed by the first of the test's keys.
fn load(bytes: &[u8]) -> Result<(), LoadError> {
    let trusted = [[0; 32], *keys(1).pk];
    runtime()
        .load(Source::copied(bytes), Trust::Keys(&trusted))
        .map(drop)
}

#[test]
fn a_trusted_signature_is_enough() {
    load(&signed(&keys(1))).expect("the key is trusted");
}

#[test]
fn a_file_with_a_trusted_signature_is_enough() {
    let path = std::env::temp_dir().join(format!("precast-trust-{}", std::process::id()));
    std::fs::write(&path, signed(&keys(1))).expect("the folder is writable");
    let loaded = runtime().load(path.as_path(), Trust::Keys(&[*keys(1).pk]));
    std::fs::remove_file(&path).expect("the file is ours");
    loaded.expect("the key is trusted");
}

#[test]
fn no_signature_is_refused() {
    let bytes = builder().write().expect("the artifact is well formed");
    assert_eq!(load(&bytes), Err(LoadError::Untrusted(Untrusted::Unsigned)));
}

#[test]
fn a_signature_by_a_stranger_is_refused() {
    let error = load(&signed(&keys(2))).expect_err("nobody trusts that key");
    assert_eq!(error, LoadError::Untrusted(Untrusted::UnknownKey));
    assert!(error.to_string().contains("key"), "{error}");
}

#[test]
fn no_key_trusts_nobody() {
    let loaded = runtime().load(Source::copied(&signed(&keys(1))), Trust::Keys(&[]));
    assert_eq!(
        loaded.map(drop),
        Err(LoadError::Untrusted(Untrusted::UnknownKey))
    );
}

#[test]
fn every_bit_of_the_payload_is_signed() {
    let good = signed(&keys(1));
    let payload = builder()
        .write()
        .expect("the artifact is well formed")
        .len();
    for place in 0..payload {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        assert!(load(&bytes).is_err(), "byte {place} is not signed");
    }
}

#[test]
fn a_damaged_signature_is_refused() {
    let mut bytes = signed(&keys(1));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_eq!(
        load(&bytes),
        Err(LoadError::Untrusted(Untrusted::BadSignature))
    );
}
