//! Files of every format, whole, damaged and hostile.

mod drawn;

use digits::{Picture, PictureError, digit};
use drawn::{Strokes, image_of};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgba, RgbaImage};
use std::io::Cursor;

const SIDE: u32 = 48;

/// How much ink covers a pixel.
fn covered(x: u32, y: u32) -> f32 {
    Strokes::five().coverage(x as usize, y as usize, SIDE as f32, [0.0, 0.0])
}

/// Dark ink on light paper.
fn grey() -> GrayImage {
    GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([(230.0 - 200.0 * covered(x, y)) as u8]))
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).expect("it is encoded");
    bytes.into_inner()
}

fn image_in(file: &[u8]) -> [u8; 784] {
    image_of(&Picture::decode(file).expect("it is decoded"))
}

fn greatest_difference(a: &[u8], b: &[u8]) -> u8 {
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

/// One file of each format.
fn files() -> Vec<(ImageFormat, Vec<u8>)> {
    let colours = DynamicImage::from(grey()).to_rgb8();
    let of = |format| match format {
        ImageFormat::Gif | ImageFormat::Qoi | ImageFormat::WebP => encoded(colours.clone(), format),
        _ => encoded(grey(), format),
    };
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Qoi, Tiff, WebP};
    [Bmp, Gif, Jpeg, Png, Pnm, Qoi, Tiff, WebP].map(|format| (format, of(format))).to_vec()
}

#[test]
fn every_format_gives_the_same_digit() {
    let expected = image_in(&encoded(grey(), ImageFormat::Png));
    for (format, file) in files() {
        // JPEG loses a little, and so does GIF's palette.
        let allowed = if matches!(format, ImageFormat::Jpeg | ImageFormat::Gif) { 24 } else { 2 };
        let difference = greatest_difference(&expected, &image_in(&file));
        assert!(difference <= allowed, "{format:?}: {difference}");
    }
}

#[test]
fn sixteen_bits_are_read() {
    let expected = image_in(&encoded(grey(), ImageFormat::Png));
    let deep = DynamicImage::from(grey()).to_luma16();
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        assert!(greatest_difference(&expected, &image_in(&encoded(deep.clone(), format))) <= 2, "{format:?}");
    }
}

/// What is left unseen by transparency is as if it were paper of the other colour.
#[test]
fn transparent_pictures_are_laid_on_a_ground() {
    let expected = image_in(&encoded(grey(), ImageFormat::Png));
    let alpha = |of: &dyn Fn(f32, u32) -> [u8; 4]| {
        encoded(RgbaImage::from_fn(SIDE, SIDE, |x, y| Rgba(of(covered(x, y), x))), ImageFormat::Png)
    };
    let opacity = |covered: f32| (255.0 * covered) as u8;
    for (name, file) in [
        ("black ink, clear black", alpha(&|covered, _| [0, 0, 0, opacity(covered)])),
        ("white ink, clear white", alpha(&|covered, _| [255, 255, 255, opacity(covered)])),
        ("a mask cut out of paper", alpha(&|covered, _| [200, 190, 180, 255 - opacity(covered)])),
        ("dark ink of two colours", alpha(&|covered, x| [2 * x as u8, 0, 0, opacity(covered)])),
        ("light ink of two colours", alpha(&|covered, x| [255, 255, 255 - 2 * x as u8, opacity(covered)])),
    ] {
        let difference = greatest_difference(&expected, &image_in(&file));
        assert!(difference <= 24, "{name}: {difference}");
    }
}

/// A JPEG with an Exif segment that says how the camera was held.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
    let exif = [b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01", &entry[..], &[0; 4]].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn a_cameras_orientation_is_obeyed() {
    let upright = image_in(&encoded(grey(), ImageFormat::Jpeg));
    let stored =
        |change: &dyn Fn(&DynamicImage) -> DynamicImage| encoded(change(&grey().into()), ImageFormat::Jpeg);
    for (orientation, file) in [
        (1, stored(&|image| image.clone())),
        (2, stored(&|image| image.fliph())),
        (3, stored(&|image| image.rotate180())),
        (6, stored(&|image| image.rotate270())),
        (8, stored(&|image| image.rotate90())),
    ] {
        let difference = greatest_difference(&upright, &image_in(&turned(&file, orientation)));
        assert!(difference <= 32, "{orientation}: {difference}");
    }
    let lying = image_in(&stored(&|image| image.rotate270()));
    assert!(greatest_difference(&upright, &lying) > 128);
}

/// Cut off anywhere a file is refused, or shows the whole picture still: its last bytes say nothing of it.
#[test]
fn a_file_cut_off_anywhere_is_refused() {
    for (format, file) in files() {
        let whole = Picture::decode(&file).expect("it is whole");
        for length in 0..file.len() {
            if let Ok(picture) = Picture::decode(&file[..length]) {
                assert!(picture == whole, "{format:?}: {length} of {} bytes", file.len());
            }
        }
        let error = Picture::decode(&file[..file.len() * 2 / 3]).expect_err("a third is missing");
        assert!(matches!(error, PictureError::Damaged { .. }), "{format:?}: {error}");
    }
}

#[test]
fn a_changed_byte_is_no_panic() {
    for (_, file) in files() {
        // Every byte of the headers; of the pixels, which are much alike, every seventh.
        for place in (0..file.len()).filter(|place| *place < 200 || place % 7 == 0) {
            for flip in [0x01, 0xff] {
                let mut file = file.clone();
                file[place] ^= flip;
                if let Ok(picture) = Picture::decode(&file) {
                    let _answer = digit(&picture);
                }
            }
        }
    }
}

#[test]
fn half_a_png_is_named() {
    let file = encoded(grey(), ImageFormat::Png);
    let error = Picture::decode(&file[..file.len() / 2]).expect_err("it is refused");
    assert!(matches!(&error, PictureError::Damaged { format, .. } if format == "PNG"), "{error}");
    assert!(error.to_string().starts_with("the PNG file is damaged: the file ends early"), "{error}");
}

/// CRC-32 as PNG has it.
fn crc(bytes: &[u8]) -> [u8; 4] {
    let of_byte = |crc: u32, byte: &u8| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    };
    (!bytes.iter().fold(u32::MAX, of_byte)).to_be_bytes()
}

/// A header that is right but for its promise.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let header = [b"IHDR", &width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let data = [&b"IDAT"[..], &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]].concat();
    let chunk =
        |content: &[u8]| [&(content.len() as u32 - 4).to_be_bytes()[..], content, &crc(content)].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(&header), &chunk(&data), &chunk(b"IEND")].concat()
}

fn bmp_of(width: u32, height: u32) -> Vec<u8> {
    let mut file = encoded(DynamicImage::from(grey()).to_rgb8(), ImageFormat::Bmp);
    file[18..22].copy_from_slice(&width.to_le_bytes());
    file[22..26].copy_from_slice(&height.to_le_bytes());
    file
}

fn gif_of(width: u16, height: u16) -> Vec<u8> {
    let [width, height] = [width.to_le_bytes(), height.to_le_bytes()];
    let frame = [&b"\x2c\0\0\0\0"[..], &width, &height, b"\0\x02\x01\0\0\x3b"].concat();
    [&b"GIF89a"[..], &width, &height, b"\x80\0\0\0\0\0\xff\xff\xff", &frame].concat()
}

fn qoi_of(width: u32, height: u32) -> Vec<u8> {
    [&b"qoif"[..], &width.to_be_bytes(), &height.to_be_bytes(), &[3, 0], &[0; 7], &[1]].concat()
}

/// What a header promises is not believed: an error comes before memory is taken for it.
#[test]
fn hostile_headers_are_refused_without_memory() {
    let most = i32::MAX as u32;
    let sides = "a picture of 1 to 16384 pixels a side expected, ";
    for (file, expected) in [
        // Decoders of PNG, BMP and QOI refuse such sizes themselves, before they tell them.
        (png_of(most, most), "a picture that takes at most 536870912 bytes to decode expected".to_owned()),
        (png_of(16_385, 1), format!("{sides}16385×1 found")),
        (bmp_of(1 << 20, 3), "the BMP file is damaged: ".to_owned()),
        (gif_of(u16::MAX, u16::MAX), format!("{sides}65535×65535 found")),
        (qoi_of(u32::MAX, 1), "the QOI file is damaged: ".to_owned()),
        (b"P5 99999999 99999999 255\n".to_vec(), format!("{sides}99999999×99999999 found")),
        (
            b"P6 16384 16384 255\n".to_vec(),
            "a picture that takes at most 536870912 bytes to decode expected".to_owned(),
        ),
    ] {
        let mut error = String::new();
        let memory = allocation_counter::measure(|| {
            error = Picture::decode(&file).expect_err("it is refused").to_string();
        });
        assert!(error.starts_with(&expected), "{expected}: {error}");
        assert!(memory.bytes_max < 1 << 20, "{}: {} bytes", error, memory.bytes_max);
    }
}

#[test]
fn what_is_done_to_a_picture_on_the_way_is_told() {
    let remarks = |file: &[u8]| Picture::read(file).expect("it is decoded").1;
    let golden = |name: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/pictures");
        std::fs::read(folder.join(name)).expect("a file")
    };
    let grey_by_luma = "made grey by the luma of ITU-R BT.709";
    assert_eq!(remarks(&encoded(grey(), ImageFormat::Png)), [""; 0]);
    // Stored as colour, it is grey all the same.
    assert_eq!(remarks(&encoded(DynamicImage::from(grey()).to_rgb8(), ImageFormat::Png)), [""; 0]);
    assert_eq!(remarks(&golden("3.gif")), ["the first of its 3 frames or pages is read", grey_by_luma]);
    assert_eq!(
        remarks(&golden("cmyk.tiff")),
        ["converted from the colours of print (CMYK) to red, green and blue", grey_by_luma]
    );
    let ink = RgbaImage::from_fn(SIDE, SIDE, |x, y| Rgba([0, 0, 0, (255.0 * covered(x, y)) as u8]));
    assert_eq!(
        remarks(&encoded(ink, ImageFormat::Png)),
        ["what shines through was laid on a ground that the rest stands out from"]
    );
    // A camera's note (Exif) that the picture is to be turned by half a circle, in a JPEG's segment.
    let jpeg = encoded(grey(), ImageFormat::Jpeg);
    let exif = [
        &b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08"[..],
        b"\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0",
    ];
    let turned = [&jpeg[..2], &exif.concat(), &jpeg[2..]].concat();
    assert_eq!(remarks(&turned), ["turned as their camera says (Exif)"]);
}
