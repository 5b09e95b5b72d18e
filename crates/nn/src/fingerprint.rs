//! What tells weights and texts apart.

use base16ct::lower::encode_string as hexadecimal;
use sha2::{Digest, Sha256};

/// Parameters whose bytes are hashed at a time.
const BLOCK: usize = 1024;

/// SHA-256 over the parameters' bytes, little-endian float32, in lower-case hexadecimal.
pub fn fingerprint(parameters: &[f32]) -> String {
    let mut hasher = Sha256::new();
    for block in parameters.chunks(BLOCK) {
        let bytes: Vec<u8> = block.iter().flat_map(|parameter| parameter.to_le_bytes()).collect();
        hasher.update(bytes);
    }
    hexadecimal(&hasher.finalize())
}

/// SHA-256 of bytes, in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_sha256sum_says() {
        // python3 -c "import struct,hashlib; print(hashlib.sha256(struct.pack('<3f', 1, -2.5, 0)).hexdigest())"
        assert_eq!(
            fingerprint(&[1.0, -2.5, 0.0]),
            "738e86d615200bd3391d7ae379779a8e4644bade56d93d0634aa07004fa697f3"
        );
        // … struct.pack('<1500f', *range(1500)) …
        let many: Vec<f32> = (0..1500).map(|index| index as f32).collect();
        assert_eq!(fingerprint(&many), "953ff8a2ddceb0650521ec288ab0812d3088ed898a1a0a5c0c347f6d6ef57fd4");
        // FIPS 180-2, appendix B.1.
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
