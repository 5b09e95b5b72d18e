//! What published files are held against.

use base16ct::lower::encode_string as hexadecimal;
use md5::Md5;
use sha2::{Digest as _, Sha256};

/// A file's digest in lower-case hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest<'a> {
    /// SHA-256: nobody can make another file of the same one.
    Sha256(&'a str),
    /// MD5, all that some publishers state. It finds what was damaged or exchanged by accident; against somebody who means harm it is
    /// no guard, since two files of one MD5 can be made.
    Md5(&'a str),
}

impl<'a> Digest<'a> {
    /// What computes it.
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::Md5(_) => "MD5",
        }
    }

    /// Its digits.
    pub fn digits(self) -> &'a str {
        match self {
            Self::Sha256(digits) | Self::Md5(digits) => digits,
        }
    }

    /// Takes the digest of a file as it is read, to compare with this one.
    pub fn hasher(self) -> Hasher {
        match self {
            Self::Sha256(_) => Hasher::Sha256(Sha256::new()),
            Self::Md5(_) => Hasher::Md5(Md5::new()),
        }
    }
}

/// Takes a digest piece by piece.
#[derive(Debug, Clone)]
pub enum Hasher {
    /// SHA-256.
    Sha256(Sha256),
    /// MD5.
    Md5(Md5),
}

impl Hasher {
    /// Goes on with more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Md5(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of all of them, in lower-case hexadecimal.
    pub fn finish(self) -> String {
        match self {
            Self::Sha256(hasher) => hexadecimal(&hasher.finalize()),
            Self::Md5(hasher) => hexadecimal(&hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By FIPS 180-2 and RFC 1321.
    #[test]
    fn digests_are_those_of_the_standards() {
        for digest in [
            Digest::Sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            Digest::Md5("900150983cd24fb0d6963f7d28e17f72"),
        ] {
            let mut hasher = digest.hasher();
            hasher.update(b"a");
            hasher.update(b"bc");
            assert_eq!(hasher.finish(), digest.digits(), "{}", digest.algorithm());
        }
    }
}
