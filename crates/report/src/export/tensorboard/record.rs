//! The framing of an event file: length, its checksum, the event, its checksum.
//!
//! Checksums are CRC-32C (Castagnoli), rotated and shifted ("masked"), because a checksum of data that holds checksums is weak.
//! Source: TensorFlow, `core/lib/io/record_writer.h` and `core/lib/hash/crc32c.h`.

/// The reflected polynomial.
const CASTAGNOLI: u32 = 0x82f6_3b78;
const MASK: u32 = 0xa282_ead8;

/// The bytes of a file with these events.
pub(super) fn file(events: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        let length = (event.len() as u64).to_le_bytes();
        bytes.extend(length);
        bytes.extend(masked(&length).to_le_bytes());
        bytes.extend(event);
        bytes.extend(masked(event).to_le_bytes());
    }
    bytes
}

fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(MASK)
}

fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| TABLE[usize::from((crc as u8) ^ byte)] ^ (crc >> 8);
    !bytes.iter().fold(!0, step)
}

/// What each byte does to a checksum.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ CASTAGNOLI
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the polynomial, and those of RFC 3720, appendix B.4.
    #[test]
    fn checksums_are_the_published_ones() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let ascending: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&ascending), 0x46dd_794e);
    }

    #[test]
    fn a_record_is_sixteen_bytes_longer_than_its_event() {
        let bytes = file(&[vec![7; 5]]);
        assert_eq!(bytes.len(), 21);
        assert_eq!(bytes[..8], 5_u64.to_le_bytes());
        assert_eq!(bytes[8..12], masked(&5_u64.to_le_bytes()).to_le_bytes());
    }
}
