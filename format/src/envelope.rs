//! The envelope: a signature after the payload.
//!
//! ```text
//! +---------------------------+ 0
//! | payload: header, sections |
//! +---------------------------+ payload size, as the header says
//! | trailer (optional)        |  magic, algorithm, public key, signature over the whole payload
//! +---------------------------+ end of the file
//! ```
//!
//! This module only knows where the parts are. Whether the key is trusted and the signature true
//! is the loader's matter; it must verify the very bytes that it goes on to use.

use crate::bytes::{Bytes, Record};
use crate::error::{ErrorKind, FormatError};
use crate::layout::{self, header, trailer};

/// The parts of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Envelope<'a> {
    /// What a signature covers: everything before the trailer.
    pub payload: &'a [u8],
    /// The trailer, where there is one.
    pub signature: Option<Signature>,
}

/// An Ed25519 signature over the payload. Having one does not mean that it is true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Who claims to have signed.
    pub public_key: [u8; 32],
    /// The signature itself.
    pub signature: [u8; 64],
}

impl<'a> Envelope<'a> {
    /// Splits a file at the payload size that its header names.
    pub fn split(file: &'a [u8]) -> Result<Envelope<'a>, FormatError> {
        let parts = Parts::split(Bytes::new(file))?;
        Ok(Envelope {
            payload: parts.payload.as_slice(),
            signature: parts.trailer.map(|trailer| Signature {
                public_key: trailer.array(trailer::PUBLIC_KEY),
                signature: trailer.array(trailer::SIGNATURE),
            }),
        })
    }
}

/// The header, where it lies.
pub(crate) type HeaderRecord<'a> = Record<&'a [u8; header::SIZE]>;

/// The parts of a file, where they lie.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// The start of the payload.
    pub(crate) header: HeaderRecord<'a>,
    /// Everything before the trailer.
    pub(crate) payload: Bytes<'a>,
    /// The trailer, where there is one.
    pub(crate) trailer: Option<Record<&'a [u8; trailer::SIZE]>>,
}

impl<'a> Parts<'a> {
    /// Splits a file at the payload size that its header names.
    pub(crate) fn split(file: Bytes<'a>) -> Result<Parts<'a>, FormatError> {
        let error = |kind, offset| Err(FormatError::at(kind, offset));
        let Some(header) = HeaderRecord::lying_at(file, 0) else {
            return error(ErrorKind::Truncated, 0);
        };
        if header.array(header::MAGIC) != layout::MAGIC {
            return error(ErrorKind::NotAnArtifact, 0);
        }
        let size = header.u32(header::PAYLOAD_SIZE);
        let Some(payload) = file.range(0, size) else {
            return error(ErrorKind::Truncated, file.len() as u32);
        };
        let mut trailer = None;
        if file.len() != payload.len() {
            trailer = Record::lying_at(file, payload.len());
            let Some(record) = trailer.filter(|_| file.len() - payload.len() == trailer::SIZE)
            else {
                return error(ErrorKind::TrailingBytes, size);
            };
            if record.array(trailer::MAGIC) != layout::TRAILER_MAGIC {
                return error(ErrorKind::TrailingBytes, size);
            }
            if record.u32(trailer::ALGORITHM) != layout::ALGORITHM_ED25519 {
                return error(ErrorKind::UnknownNumber, size);
            }
            if record.u32(trailer::RESERVED) != 0 {
                return error(ErrorKind::ReservedBits, size);
            }
        }
        Ok(Parts {
            header,
            payload,
            trailer,
        })
    }
}

impl Signature {
    /// The trailer to append to the payload.
    pub fn to_trailer(&self) -> [u8; trailer::SIZE] {
        let mut bytes = [0; trailer::SIZE];
        trailer::MAGIC.put(&mut bytes, layout::TRAILER_MAGIC);
        trailer::ALGORITHM.put(&mut bytes, layout::ALGORITHM_ED25519.to_le_bytes());
        trailer::PUBLIC_KEY.put(&mut bytes, self.public_key);
        trailer::SIGNATURE.put(&mut bytes, self.signature);
        bytes
    }
}
