//! Trust: by what right the code of an artifact runs.
//!
//! The signature is verified over the very bytes that are parsed and mapped afterwards. A file,
//! which can change under its mapping, is therefore copied first.
#![forbid(unsafe_code)]

use precast_format::envelope::Envelope;

use crate::error::{LoadError, Untrusted};

/// Which artifacts a load accepts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Trust<'a> {
    /// Those that carry an Ed25519 signature by the holder of one of these public keys.
    Keys(&'a [[u8; 32]]),
}

/// By what right this load may run code.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof<'a> {
    /// A signature has to be there and to be true.
    Signature(Trust<'a>),
    /// The embedder promised it, in an `unsafe` call.
    VouchedFor,
}

impl Proof<'_> {
    /// Whether the bytes must not change between the check and their use.
    pub(crate) fn needs_stable_bytes(&self) -> bool {
        matches!(self, Proof::Signature(_))
    }

    /// Checks the signature of a file, where one is asked for.
    pub(crate) fn check(&self, file: &[u8]) -> Result<(), LoadError> {
        let Proof::Signature(Trust::Keys(keys)) = self else {
            return Ok(());
        };
        let envelope = Envelope::split(file).map_err(LoadError::Malformed)?;
        let signature = envelope
            .signature
            .ok_or(LoadError::Untrusted(Untrusted::Unsigned))?;
        if !keys.contains(&signature.public_key) {
            return Err(LoadError::Untrusted(Untrusted::UnknownKey));
        }
        verify(
            envelope.payload,
            &signature.public_key,
            &signature.signature,
        )
    }
}

/// Verifies an Ed25519 signature.
#[cfg(feature = "signatures")]
fn verify(payload: &[u8], key: &[u8; 32], signature: &[u8; 64]) -> Result<(), LoadError> {
    use ed25519_compact::{PublicKey, Signature};
    PublicKey::new(*key)
        .verify(payload, &Signature::new(*signature))
        .map_err(|_| LoadError::Untrusted(Untrusted::BadSignature))
}

/// Without the feature no signature is good enough.
#[cfg(not(feature = "signatures"))]
fn verify(_: &[u8], _: &[u8; 32], _: &[u8; 64]) -> Result<(), LoadError> {
    Err(LoadError::Untrusted(Untrusted::Unsupported))
}
