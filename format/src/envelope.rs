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
        let bytes = Bytes::new(file);
        let header = Record::<{ header::SIZE }>::at(bytes, 0, header::SIZE)
            .ok_or(FormatError::at(ErrorKind::Truncated, 0))?;
        if header.array(header::MAGIC) != layout::MAGIC {
            return Err(FormatError::at(ErrorKind::NotAnArtifact, 0));
        }
        let size = header.u32(header::PAYLOAD_SIZE);
        let payload = bytes.range(0, size).ok_or(FormatError::at(
            ErrorKind::Truncated,
            bytes.len().min(u32::MAX as usize) as u32,
        ))?;
        let rest = bytes.len() - payload.len();
        let signature = match rest {
            0 => None,
            trailer::SIZE => {
                let record = Record::at(bytes, payload.len(), trailer::SIZE)
                    .ok_or(FormatError::at(ErrorKind::Truncated, size))?;
                Some(Signature::read(&record).map_err(|kind| FormatError::at(kind, size))?)
            }
            _ => return Err(FormatError::at(ErrorKind::TrailingBytes, size)),
        };
        Ok(Envelope {
            payload: payload.as_slice(),
            signature,
        })
    }
}

impl Signature {
    fn read(record: &Record<{ trailer::SIZE }>) -> Result<Signature, ErrorKind> {
        if record.array(trailer::MAGIC) != layout::TRAILER_MAGIC {
            return Err(ErrorKind::TrailingBytes);
        }
        if record.u32(trailer::ALGORITHM) != layout::ALGORITHM_ED25519 {
            return Err(ErrorKind::UnknownNumber);
        }
        if record.u32(trailer::RESERVED) != 0 {
            return Err(ErrorKind::ReservedBits);
        }
        Ok(Signature {
            public_key: record.array(trailer::PUBLIC_KEY),
            signature: record.array(trailer::SIGNATURE),
        })
    }

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
