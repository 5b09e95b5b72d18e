//! The data sets that are known by name: one table, one entry a data set.
//!
//! Digests of the downloads are those that several public loaders state independently of each other (torchvision's,
//! its Ruby namesake's, TensorFlow Datasets' among them). Sizes are stated where such a source gives them.

use crate::Digest::{self, Md5, Sha256};
use medmnist::medmnist;
use spec::ImageShape;
use std::path::{Path, PathBuf};

mod medmnist;

/// A data set that is known by name: what it holds, whose it is, where it is published and how its files are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// As `--dataset` takes it.
    pub name: &'static str,
    /// What its images show.
    pub title: &'static str,
    /// Who made it.
    pub authors: &'static str,
    /// What it may be used for, by its authors' word.
    pub licence: &'static str,
    /// The publication to cite.
    pub citation: &'static str,
    /// Number of training images, with those that the data states for validation.
    pub training_images: usize,
    /// How many of them the data states for validation.
    pub validation_images: usize,
    /// Number of test images.
    pub test_images: usize,
    /// Height, width and channels of its images.
    pub shape: ImageShape,
    /// What each class is called, in the order of the labels.
    pub classes: &'static [&'static str],
    /// Where its files come from.
    pub origin: Origin,
    /// Whether the files hold each image with rows and columns exchanged.
    pub transposed: bool,
    /// The label of the first class in the files.
    pub first_label: u8,
    /// How the files hold the labels.
    pub labels: LabelLayout,
}

/// Where a data set's files come from. Four IDX files are in the order of [`crate::FILE_NAMES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Inside the program.
    Embedded,
    /// Made of the set inside the program: MNIST's images in colours, the `colored-mnist` of [`crate::Source::parse`].
    Coloured,
    /// Made of it too: MNIST with test images off centre, `shifted-mnist`.
    Shifted,
    /// Each is published by itself.
    Files([Download; 4]),
    /// Files in a format of their own, which `containers` reads: one alone, or all in their folder together.
    Containers(&'static [Download]),
    /// All are members of one archive, which holds other sets as well.
    Archive {
        /// The folder in the cache that the archive is kept in, so that the other sets find it.
        folder: &'static str,
        /// The zip file.
        archive: Download,
        /// The members' names without their folders.
        members: [&'static str; 4],
    },
}

/// A file that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its name, the same on every mirror and in the cache.
    pub name: &'static str,
    /// Its length, where that is known beforehand.
    pub bytes: Option<u64>,
    /// Its digest, as published.
    pub digest: Digest<'static>,
    /// Addresses that `name` is put after, the first to try first.
    pub mirrors: &'static [&'static str],
}

impl Download {
    /// How long it can be: as long as it is, where that is known, or 4 GiB. A server that never ends must not fill the disk.
    pub fn most_bytes(&self) -> u64 {
        self.bytes.unwrap_or(containers::MAXIMUM_BYTES)
    }
}

/// How a file holds labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelLayout {
    /// One byte an image ([`crate::idx::read_labels`]).
    Bytes,
    /// A row of eight 32-bit numbers an image, of which the first is the class ([`crate::idx::read_label_rows`]).
    Rows,
}

impl Published {
    /// The names of its files in the cache; none for what needs no file.
    pub fn file_names(&self) -> Option<Vec<&'static str>> {
        match &self.origin {
            Origin::Embedded | Origin::Coloured | Origin::Shifted => None,
            Origin::Archive { members, .. } => Some(members.to_vec()),
            _ => Some(self.downloads().iter().map(|file| file.name).collect()),
        }
    }

    /// What is to be downloaded.
    pub fn downloads(&self) -> &[Download] {
        match &self.origin {
            Origin::Embedded | Origin::Coloured | Origin::Shifted => &[],
            Origin::Files(files) => files,
            Origin::Containers(files) => files,
            Origin::Archive { archive, .. } => std::slice::from_ref(archive),
        }
    }

    /// The folder of its files.
    pub fn folder(&self, cache: &Path) -> PathBuf {
        cache.join(self.name)
    }

    /// Whether it can be loaded without a network: all files are there. Loading tells whether they are whole.
    pub fn is_here(&self, cache: &Path) -> bool {
        let folder = self.folder(cache);
        let sums = matches!(self.origin, Origin::Archive { .. }).then_some(crate::CHECKSUMS_FILE);
        self.file_names()
            .is_none_or(|names| names.into_iter().chain(sums).all(|name| folder.join(name).is_file()))
    }
}

/// Every data set that is known by name.
pub fn published() -> &'static [Published] {
    &REGISTRY
}

/// The data set of that name.
pub fn find_published(name: &str) -> Option<&'static Published> {
    REGISTRY.iter().find(|set| set.name == name)
}

/// Of a set of the same publishers that is not among them: what is expected of a set, and what it holds.
pub(crate) fn unsuitable(name: &str) -> Option<(&'static str, &'static str)> {
    match name.strip_suffix("-64").unwrap_or(name) {
        "chestmnist" => Some(("one class an image", "any number of 14 findings an image")),
        "organmnist3d" | "nodulemnist3d" | "adrenalmnist3d" | "fracturemnist3d" | "vesselmnist3d"
        | "synapsemnist3d" => Some(("images", "volumes of 28 or 64 slices")),
        _ => None,
    }
}

const FASHION_MNIST: &[&str] = &[
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
];
const KMNIST: &[&str] =
    &["https://codh.rois.ac.jp/kmnist/dataset/kmnist/", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"];
const EMNIST: &[&str] =
    &["https://biometrics.nist.gov/cs_links/EMNIST/", "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/"];
const QMNIST: &[&str] = &[
    "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
    "https://github.com/facebookresearch/qmnist/raw/master/",
];

const CIFAR: &[&str] = &["https://www.cs.toronto.edu/~kriz/"];
const SVHN: &[&str] = &["http://ufldl.stanford.edu/housenumbers/"];

const THINGS: &[&str] =
    &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
/// The fine classes, in the order of their labels.
const HUNDRED_THINGS: &[&str] = &[
    "apple",
    "aquarium_fish",
    "baby",
    "bear",
    "beaver",
    "bed",
    "bee",
    "beetle",
    "bicycle",
    "bottle",
    "bowl",
    "boy",
    "bridge",
    "bus",
    "butterfly",
    "camel",
    "can",
    "castle",
    "caterpillar",
    "cattle",
    "chair",
    "chimpanzee",
    "clock",
    "cloud",
    "cockroach",
    "couch",
    "crab",
    "crocodile",
    "cup",
    "dinosaur",
    "dolphin",
    "elephant",
    "flatfish",
    "forest",
    "fox",
    "girl",
    "hamster",
    "house",
    "kangaroo",
    "keyboard",
    "lamp",
    "lawn_mower",
    "leopard",
    "lion",
    "lizard",
    "lobster",
    "man",
    "maple_tree",
    "motorcycle",
    "mountain",
    "mouse",
    "mushroom",
    "oak_tree",
    "orange",
    "orchid",
    "otter",
    "palm_tree",
    "pear",
    "pickup_truck",
    "pine_tree",
    "plain",
    "plate",
    "poppy",
    "porcupine",
    "possum",
    "rabbit",
    "raccoon",
    "ray",
    "road",
    "rocket",
    "rose",
    "sea",
    "seal",
    "shark",
    "shrew",
    "skunk",
    "skyscraper",
    "snail",
    "snake",
    "spider",
    "squirrel",
    "streetcar",
    "sunflower",
    "sweet_pepper",
    "table",
    "tank",
    "telephone",
    "television",
    "tiger",
    "tractor",
    "train",
    "trout",
    "tulip",
    "turtle",
    "wardrobe",
    "whale",
    "willow_tree",
    "wolf",
    "woman",
    "worm",
];
const DIGITS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const CLOTHES: &[&str] = &[
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];
const KUZUSHIJI: &[&str] = &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"];
/// Digits, capital and small letters.
const CHARACTERS: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K",
    "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "a", "b", "c", "d", "e", "f",
    "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z",
];
/// As [`CHARACTERS`], with a capital and its small letter in one class where both are written alike.
const MERGED_CHARACTERS: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K",
    "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "a", "b", "d", "e", "f", "g",
    "h", "n", "q", "r", "t",
];
/// Each the capital and the small letter.
const LETTERS: &[&str] = &[
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u",
    "v", "w", "x", "y", "z",
];

const fn file(
    name: &'static str,
    bytes: Option<u64>,
    digest: Digest<'static>,
    mirrors: &'static [&'static str],
) -> Download {
    Download { name, bytes, digest, mirrors }
}

/// A set in MNIST's own format.
const LIKE_MNIST: Published = Published {
    name: "mnist",
    title: "handwritten digits",
    authors: "Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
    licence: "CC BY-SA 3.0",
    citation: "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition",
    shape: ImageShape { height: 28, width: 28, channels: 1 },
    training_images: 60_000,
    validation_images: 0,
    test_images: 10_000,
    classes: DIGITS,
    origin: Origin::Embedded,
    transposed: false,
    first_label: 0,
    labels: LabelLayout::Bytes,
};

/// A part of EMNIST: `emnist-digits` and so on.
const fn emnist(
    name: &'static str,
    title: &'static str,
    classes: &'static [&'static str],
    training_images: usize,
    test_images: usize,
    members: [&'static str; 4],
) -> Published {
    let digest = Sha256("fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e");
    Published {
        name,
        title,
        authors: "Gregory Cohen, Saeed Afshar, Jonathan Tapson, André van Schaik",
        licence: "none stated (from NIST Special Database 19)",
        citation: "Cohen, Afshar, Tapson and van Schaik 2017, EMNIST: an extension of MNIST to handwritten letters",
        training_images,
        test_images,
        classes,
        origin: Origin::Archive {
            folder: "emnist",
            archive: file("gzip.zip", Some(561_753_746), digest, EMNIST),
            members,
        },
        transposed: true,
        ..LIKE_MNIST
    }
}

/// The names of the four members of EMNIST's archive that make up a part.
macro_rules! members {
    ($part:literal) => {
        [
            concat!("emnist-", $part, "-train-images-idx3-ubyte.gz"),
            concat!("emnist-", $part, "-train-labels-idx1-ubyte.gz"),
            concat!("emnist-", $part, "-test-images-idx3-ubyte.gz"),
            concat!("emnist-", $part, "-test-labels-idx1-ubyte.gz"),
        ]
    };
}

/// Images of 32×32 pixels in colour.
const LIKE_CIFAR: Published = Published {
    authors: "Alex Krizhevsky, Vinod Nair, Geoffrey Hinton",
    licence: "none stated",
    citation: "Krizhevsky 2009, Learning multiple layers of features from tiny images",
    training_images: 50_000,
    shape: ImageShape { height: 32, width: 32, channels: 3 },
    ..LIKE_MNIST
};

static REGISTRY: [Published; 36] = [
    LIKE_MNIST,
    Published {
        name: "colored-mnist",
        title: "handwritten digits in ten colours, 99 % of the training images in their class's own, the test images in any",
        citation: "Kim, Kim, Kim, Kim and Kim 2019, Learning not to learn; Nam, Cha, Ahn, Lee and Shin 2020, Learning from failure",
        shape: ImageShape { height: 28, width: 28, channels: 3 },
        origin: Origin::Coloured,
        ..LIKE_MNIST
    },
    Published {
        name: "shifted-mnist",
        title: "handwritten digits, the test images up to 4 pixels off centre",
        origin: Origin::Shifted,
        ..LIKE_MNIST
    },
    Published {
        name: "fashion-mnist",
        title: "clothes",
        authors: "Han Xiao, Kashif Rasul, Roland Vollgraf (Zalando Research)",
        licence: "MIT",
        citation: "Xiao, Rasul and Vollgraf 2017, Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms",
        classes: CLOTHES,
        origin: Origin::Files([
            file(
                "train-images-idx3-ubyte.gz",
                Some(26_421_880),
                Sha256("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
                FASHION_MNIST,
            ),
            file(
                "train-labels-idx1-ubyte.gz",
                Some(29_515),
                Sha256("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
                FASHION_MNIST,
            ),
            file(
                "t10k-images-idx3-ubyte.gz",
                Some(4_422_102),
                Sha256("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
                FASHION_MNIST,
            ),
            file(
                "t10k-labels-idx1-ubyte.gz",
                Some(5_148),
                Sha256("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
                FASHION_MNIST,
            ),
        ]),
        ..LIKE_MNIST
    },
    Published {
        name: "kmnist",
        title: "cursive Japanese characters (kuzushiji)",
        authors: "Center for Open Data in the Humanities; Tarin Clanuwat, Mikel Bober-Irizar, Asanobu Kitamoto, Alex Lamb, Kazuaki Yamamoto, David Ha",
        licence: "CC BY-SA 4.0",
        citation: "Clanuwat, Bober-Irizar, Kitamoto, Lamb, Yamamoto and Ha 2018, Deep learning for classical Japanese literature",
        classes: KUZUSHIJI,
        origin: Origin::Files([
            file(
                "train-images-idx3-ubyte.gz",
                Some(18_165_135),
                Sha256("51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
                KMNIST,
            ),
            file(
                "train-labels-idx1-ubyte.gz",
                Some(29_497),
                Sha256("e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
                KMNIST,
            ),
            file(
                "t10k-images-idx3-ubyte.gz",
                Some(3_041_136),
                Sha256("edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
                KMNIST,
            ),
            file(
                "t10k-labels-idx1-ubyte.gz",
                Some(5_120),
                Sha256("20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
                KMNIST,
            ),
        ]),
        ..LIKE_MNIST
    },
    Published {
        first_label: 1,
        ..emnist(
            "emnist-letters",
            "handwritten letters, capital and small as one class",
            LETTERS,
            124_800,
            20_800,
            members!("letters"),
        )
    },
    emnist(
        "emnist-balanced",
        "handwritten digits and letters, as many of each",
        MERGED_CHARACTERS,
        112_800,
        18_800,
        members!("balanced"),
    ),
    emnist(
        "emnist-byclass",
        "handwritten digits, capital and small letters",
        CHARACTERS,
        697_932,
        116_323,
        members!("byclass"),
    ),
    emnist("emnist-digits", "handwritten digits", DIGITS, 240_000, 40_000, members!("digits")),
    emnist("emnist-mnist", "handwritten digits, MNIST made anew", DIGITS, 60_000, 10_000, members!("mnist")),
    Published {
        name: "qmnist",
        title: "handwritten digits, MNIST with all of its test images restored",
        authors: "Chhavi Yadav, Léon Bottou",
        licence: "BSD-3-Clause",
        citation: "Yadav and Bottou 2019, Cold case: the lost MNIST digits",
        test_images: 60_000,
        origin: Origin::Files([
            file(
                "qmnist-train-images-idx3-ubyte.gz",
                None,
                Sha256("9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d"),
                QMNIST,
            ),
            file(
                "qmnist-train-labels-idx2-int.gz",
                None,
                Sha256("2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f"),
                QMNIST,
            ),
            file(
                "qmnist-test-images-idx3-ubyte.gz",
                None,
                Sha256("43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375"),
                QMNIST,
            ),
            file(
                "qmnist-test-labels-idx2-int.gz",
                None,
                Sha256("9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06"),
                QMNIST,
            ),
        ]),
        labels: LabelLayout::Rows,
        ..LIKE_MNIST
    },
    Published {
        name: "cifar-10",
        title: "animals and vehicles",
        classes: THINGS,
        origin: Origin::Containers(&[file(
            "cifar-10-binary.tar.gz",
            Some(170_052_171),
            Sha256("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
            CIFAR,
        )]),
        ..LIKE_CIFAR
    },
    Published {
        name: "cifar-100",
        title: "animals, plants, people and things",
        classes: HUNDRED_THINGS,
        origin: Origin::Containers(&[file(
            "cifar-100-binary.tar.gz",
            None,
            Sha256("58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
            CIFAR,
        )]),
        ..LIKE_CIFAR
    },
    Published {
        name: "svhn",
        title: "digits of house numbers",
        authors: "Yuval Netzer, Tao Wang, Adam Coates, Alessandro Bissacco, Bo Wu, Andrew Y. Ng",
        licence: "non-commercial use only",
        citation: "Netzer, Wang, Coates, Bissacco, Wu and Ng 2011, Reading digits in natural images with unsupervised feature learning",
        training_images: 73_257,
        test_images: 26_032,
        origin: Origin::Containers(&[
            file(
                "train_32x32.mat",
                Some(182_040_794),
                Sha256("435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
                SVHN,
            ),
            file(
                "test_32x32.mat",
                Some(64_275_384),
                Sha256("cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
                SVHN,
            ),
        ]),
        classes: DIGITS,
        ..LIKE_CIFAR
    },
    medmnist!(PATH, "pathmnist", "a8b06965200029087d5bd730944a56c1"),
    medmnist!(PATH, "pathmnist" at 64, "55aa9c1e0525abe5a6b9d8343a507616"),
    medmnist!(DERMA, "dermamnist", "0744692d530f8e62ec473284d019b0c7"),
    medmnist!(DERMA, "dermamnist" at 64, "b70a2f5635c6199aeaa28c31d7202e1f"),
    medmnist!(OCT, "octmnist", "c68d92d5b585d8d81f7112f81e2d0842"),
    medmnist!(OCT, "octmnist" at 64, "e229e9440236b774d9f0dfef9d07bdaf"),
    medmnist!(PNEUMONIA, "pneumoniamnist", "28209eda62fecd6e6a2d98b1501bb15f"),
    medmnist!(PNEUMONIA, "pneumoniamnist" at 64, "8f4eceb4ccffa70c672198ea285246c6"),
    medmnist!(RETINA, "retinamnist", "bd4c0672f1bba3e3a89f0e4e876791e4"),
    medmnist!(RETINA, "retinamnist" at 64, "afda852cc34dcda56f86ad2b2457dbcc"),
    medmnist!(BREAST, "breastmnist", "750601b1f35ba3300ea97c75c52ff8f6"),
    medmnist!(BREAST, "breastmnist" at 64, "742edef2a1fd1524b2efff4bd7ba9364"),
    medmnist!(BLOOD, "bloodmnist", "7053d0359d879ad8a5505303e11de1dc"),
    medmnist!(BLOOD, "bloodmnist" at 64, "2b94928a2ae4916078ca51e05b6b800b"),
    medmnist!(TISSUE, "tissuemnist", "ebe78ee8b05294063de985d821c1c34b"),
    medmnist!(TISSUE, "tissuemnist" at 64, "123ece2eba09d0aa5d698fda57103344"),
    medmnist!(ORGANA, "organamnist", "68e3f8846a6bd62f0c9bf841c0d9eacc"),
    medmnist!(ORGANA, "organamnist" at 64, "2dcccc29b88e6da5a01161ef20cda288"),
    medmnist!(ORGANC, "organcmnist", "b9ceb9546e10131b32923c5bbeaea2b1"),
    medmnist!(ORGANC, "organcmnist" at 64, "3ce34a8724ea6f548e6db4744d03b6a9"),
    medmnist!(ORGANS, "organsmnist", "9ab87b696fb54e2a387ebe992d6ed5f1"),
    medmnist!(ORGANS, "organsmnist" at 64, "53a6d115339d874c25e309a994ff46d3"),
];
