//! The 2D sets of MedMNIST, each at 28 and at 64 pixels.
//!
//! Names, numbers of images and digests are those of its own loader, `medmnist` 3.0.2.

use super::{LIKE_MNIST, Published};
use spec::ImageShape;

/// Where all of the files are.
pub(super) const MIRRORS: &[&str] = &["https://zenodo.org/records/10519652/files/"];

/// What the sizes of a set have in common.
pub(super) struct Medical {
    title: &'static str,
    channels: usize,
    /// For training, for validation, for testing.
    images: [usize; 3],
    classes: &'static [&'static str],
    licence: &'static str,
}

impl Medical {
    /// All but its file.
    pub(super) const fn published(&self, name: &'static str, side: usize) -> Published {
        let [training, validation, test] = self.images;
        Published {
            name,
            title: self.title,
            authors: "Jiancheng Yang, Rui Shi, Donglai Wei, Zequan Liu, Lin Zhao, Bilian Ke, Hanspeter Pfister, Bingbing Ni",
            licence: self.licence,
            citation: "Yang, Shi, Wei, Liu, Zhao, Ke, Pfister and Ni 2023, MedMNIST v2: a large-scale lightweight benchmark for 2D and 3D biomedical image classification",
            training_images: training + validation,
            validation_images: validation,
            test_images: test,
            shape: ImageShape { height: side, width: side, channels: self.channels },
            classes: self.classes,
            ..LIKE_MNIST
        }
    }
}

/// A set of 28, or `at 64`, pixels with the MD5 of its file.
macro_rules! medmnist {
    ($set:ident, $name:literal, $md5:literal) => {
        medmnist!($set, $name, concat!($name, ".npz"), 28, $md5)
    };
    ($set:ident, $name:literal at 64, $md5:literal) => {
        medmnist!($set, concat!($name, "-64"), concat!($name, "_64.npz"), 64, $md5)
    };
    ($set:ident, $name:expr, $file:expr, $side:literal, $md5:literal) => {
        Published {
            origin: Origin::Containers(&[file($file, None, Md5($md5), medmnist::MIRRORS)]),
            ..medmnist::$set.published($name, $side)
        }
    };
}
pub(super) use medmnist;

const LICENCE: &str = "CC BY 4.0";

pub(super) const PATH: Medical = Medical {
    title: "colorectal tissue under the microscope",
    channels: 3,
    images: [89_996, 10_004, 7_180],
    classes: &[
        "adipose",
        "background",
        "debris",
        "lymphocytes",
        "mucus",
        "smooth muscle",
        "normal colon mucosa",
        "cancer-associated stroma",
        "colorectal adenocarcinoma epithelium",
    ],
    licence: LICENCE,
};
pub(super) const DERMA: Medical = Medical {
    title: "skin lesions",
    channels: 3,
    images: [7_007, 1_003, 2_005],
    classes: &[
        "actinic keratoses and intraepithelial carcinoma",
        "basal cell carcinoma",
        "benign keratosis-like lesions",
        "dermatofibroma",
        "melanoma",
        "melanocytic nevi",
        "vascular lesions",
    ],
    licence: "CC BY-NC 4.0",
};
pub(super) const OCT: Medical = Medical {
    title: "retinas by optical coherence tomography",
    channels: 1,
    images: [97_477, 10_832, 1_000],
    classes: &["choroidal neovascularization", "diabetic macular edema", "drusen", "normal"],
    licence: LICENCE,
};
pub(super) const PNEUMONIA: Medical = Medical {
    title: "children's chests in X-rays",
    channels: 1,
    images: [4_708, 524, 624],
    classes: &["normal", "pneumonia"],
    licence: LICENCE,
};
pub(super) const RETINA: Medical = Medical {
    title: "fundi of eyes, by grade of diabetic retinopathy",
    channels: 3,
    images: [1_080, 120, 400],
    classes: &["0", "1", "2", "3", "4"],
    licence: LICENCE,
};
pub(super) const BREAST: Medical = Medical {
    title: "breasts by ultrasound",
    channels: 1,
    images: [546, 78, 156],
    classes: &["malignant", "normal, benign"],
    licence: LICENCE,
};
pub(super) const BLOOD: Medical = Medical {
    title: "blood cells under the microscope",
    channels: 3,
    images: [11_959, 1_712, 3_421],
    classes: &[
        "basophil",
        "eosinophil",
        "erythroblast",
        "immature granulocytes",
        "lymphocyte",
        "monocyte",
        "neutrophil",
        "platelet",
    ],
    licence: LICENCE,
};
pub(super) const TISSUE: Medical = Medical {
    title: "kidney cortex cells under the microscope",
    channels: 1,
    images: [165_466, 23_640, 47_280],
    classes: &[
        "Collecting Duct, Connecting Tubule",
        "Distal Convoluted Tubule",
        "Glomerular endothelial cells",
        "Interstitial endothelial cells",
        "Leukocytes",
        "Podocytes",
        "Proximal Tubule Segments",
        "Thick Ascending Limb",
    ],
    licence: LICENCE,
};
const ABDOMEN: &[&str] = &[
    "bladder",
    "femur-left",
    "femur-right",
    "heart",
    "kidney-left",
    "kidney-right",
    "liver",
    "lung-left",
    "lung-right",
    "pancreas",
    "spleen",
];
pub(super) const ORGANA: Medical = Medical {
    title: "organs in computed tomography, axial slices",
    channels: 1,
    images: [34_561, 6_491, 17_778],
    classes: ABDOMEN,
    licence: LICENCE,
};
pub(super) const ORGANC: Medical = Medical {
    title: "organs in computed tomography, coronal slices",
    channels: 1,
    images: [12_975, 2_392, 8_216],
    classes: ABDOMEN,
    licence: LICENCE,
};
pub(super) const ORGANS: Medical = Medical {
    title: "organs in computed tomography, sagittal slices",
    channels: 1,
    images: [13_932, 2_452, 8_827],
    classes: ABDOMEN,
    licence: LICENCE,
};
