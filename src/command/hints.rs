//! What to do about a failure of the libraries, in the command's words: they know of things, and not of options.

use crate::command::{args::Arguments, reproduce::shell_path};
use clap::CommandFactory;
use data::{Asked, ContainerRemedy};
use data::{Beside, HeldBack, Remedy, idx};
use interchange::{FormatError, METADATA_KEY, OtherFormat};
use report::thousands;
use std::path::Path;
use study::{
    study_file::{UnknownModel, built_in_models},
    suggest::near,
};

/// What to do about images that cannot be read.
fn of_container(error: &data::ContainerError) -> String {
    match error.remedy() {
        ContainerRemedy::OtherPath => {
            "pass --dataset with a folder of class folders, an npz file, a CSV file, CIFAR's binary files or four IDX files"
                .to_owned()
        }
        ContainerRemedy::Unpack => "unpack it and pass its folder with --dataset".to_owned(),
        ContainerRemedy::Folder(folder) => format!("pass --dataset {}", shell_path(folder)),
        ContainerRemedy::Again => "get or save the file again, or take it away".to_owned(),
        ContainerRemedy::AnotherImage => {
            "save the image anew, as an ordinary PNG file of fewer pixels".to_owned()
        }
        ContainerRemedy::Resize([height, width]) => {
            format!("pass --resize {height}x{width}, or another size, to scale every image")
        }
        ContainerRemedy::Size => "pass --size HxW with the rows and columns of an image".to_owned(),
        ContainerRemedy::Layout => {
            "pass --channels first for [image, channel, row, column], --channels last for [image, row, column, channel]"
                .to_owned()
        }
        ContainerRemedy::LeaveOut(Asked::Layout(_)) => "leave out --channels".to_owned(),
        ContainerRemedy::LeaveOut(Asked::Size(_)) => "leave out --size".to_owned(),
        ContainerRemedy::Grey => "pass --grey to make all of them grey".to_owned(),
        ContainerRemedy::ClassFolder(folder) => {
            format!("fill {folder}, take it away, or correct its name")
        }
        ContainerRemedy::OneOf(one, other) => format!("take away or rename {one} or {other}"),
        ContainerRemedy::ArrayNames => {
            "save them as np.savez(FILE, x_train=..., y_train=..., x_test=..., y_test=...)".to_owned()
        }
        ContainerRemedy::FixedStrings => {
            "save them as numbers or fixed strings: np.savez(FILE, ..., y_train=labels.astype(str))".to_owned()
        }
        ContainerRemedy::Bytes => {
            "save the images as bytes of 0 to 255: np.savez(FILE, x_train=images.astype(np.uint8), ...)".to_owned()
        }
        ContainerRemedy::OneLabel => "give each image one class".to_owned(),
        ContainerRemedy::Labels => "give a label for each image: in a CSV file a column `label`, in an npz file an array such as y_train".to_owned(),
        ContainerRemedy::Line(line) => format!("correct line {line}"),
        ContainerRemedy::Utf8 => "save the table as UTF-8".to_owned(),
        ContainerRemedy::Fewer => "use fewer or smaller images".to_owned(),
        ContainerRemedy::Classes => {
            "join classes; where these are no classes, such as the images' numbers, put the classes into a column `label`".to_owned()
        }
        ContainerRemedy::Commas => "save the table with a comma between two values".to_owned(),
    }
}

/// What to do about data that cannot be used.
pub(crate) fn of_data(error: &data::Error) -> String {
    let embedded = "; MNIST itself needs no file: --dataset mnist";
    match error {
        data::Error::WrongMagic { expected, found, .. } => match *found {
            idx::IMAGES_MAGIC | idx::COLOUR_IMAGES_MAGIC | idx::LABELS_MAGIC | idx::LABEL_ROWS_MAGIC => {
                "images and labels look exchanged: check both files' names".to_owned()
            }
            _ if *expected == idx::IMAGES_MAGIC => {
                format!("give an IDX file of 8-bit images with three dimensions, or four in colour{embedded}")
            }
            _ => format!("give an IDX file of 8-bit labels with one dimension{embedded}"),
        },
        data::Error::NotIdx { found, .. } => of_remedy(found.remedy()).to_owned(),
        data::Error::Memory { .. } => "close other programs, or use a smaller dataset".to_owned(),
        data::Error::Truncated { .. } | data::Error::Compression { .. } => {
            format!("make or download it again{embedded}")
        }
        data::Error::TrailingBytes { .. } => {
            format!("the file is damaged or two files were joined: make or download it again{embedded}")
        }
        data::Error::TooLarge { .. } => {
            format!("use a smaller dataset; a compressed file with a false header looks large, too{embedded}")
        }
        data::Error::Empty { .. } => {
            "give a dataset with at least one training and one test image".to_owned()
        }
        data::Error::ImageSize { .. } => "scale the images to 256×256 pixels or fewer".to_owned(),
        data::Error::Channels { .. } => "give grey images, or images of red, green and blue".to_owned(),
        data::Error::PixelCount { .. } => {
            "pass labels × height × width × channels bytes, one byte a value".to_owned()
        }
        data::Error::CountsDiffer { .. } => "check that both files belong to the same dataset".to_owned(),
        data::Error::LabelOutOfRange { classes, .. } => {
            format!("number the classes from 0 to {}", classes.saturating_sub(1))
        }
        data::Error::ClassCount { .. } => "label the images with 2 to 256 classes".to_owned(),
        data::Error::OneClass { .. } => {
            "check the file of labels: it is damaged, or of something else than classes".to_owned()
        }
        data::Error::Alike { .. } => {
            "check the image files: they are damaged, or were never filled".to_owned()
        }
        data::Error::SetsDiffer { .. } | data::Error::ClassesDiffer { .. } => {
            "check that the training and the test files belong to the same dataset".to_owned()
        }
        data::Error::Nothing { directory, found: Some(Beside::Kind { kind, example, .. }) }
            if kind.remedy() == Remedy::File =>
        {
            format!("pass --dataset {}", shell_path(Path::new(directory).join(example).display()))
        }
        data::Error::Nothing { found: Some(Beside::Kind { kind, .. }), .. } => {
            of_remedy(kind.remedy()).to_owned()
        }
        data::Error::Nothing { found: Some(Beside::Folder(folder)), .. } => {
            format!("pass --dataset {}", shell_path(folder))
        }
        data::Error::Nothing { .. } => format!(
            "put the images of each class into a folder of its name, FOLDER/CLASS/image.png; IDX files are called {}{embedded}",
            data::FILE_NAMES.join(", ")
        ),
        data::Error::Division { part: HeldBack::Test, problem, .. } => match &**problem {
            data::Error::SplitSize { .. } => "pass a smaller --test-fraction".to_owned(),
            problem => of_data(problem),
        },
        data::Error::Division { problem, .. } => of_data(problem),
        data::Error::TrainingImages { .. } => {
            "change training_images in the recipe, or leave it out to learn from all".to_owned()
        }
        data::Error::ValidationStated { .. } => {
            "draw the training images alone with --resample bootstrap, or put the validation images among the training images"
                .to_owned()
        }
        data::Error::SeveralFiles { .. } => {
            "leave one data set in the folder, or rename its files as `mnist-study datasets` lists them"
                .to_owned()
        }
        data::Error::MissingFile { .. } => {
            format!("put {} into the folder, each with or without .gz{embedded}", data::FILE_NAMES.join(", "))
        }
        data::Error::Unreadable { .. } => "check that it exists, is a plain file and may be read".to_owned(),
        data::Error::Unwritable { .. } => "check the folder's permissions and the free space".to_owned(),
        data::Error::UnknownName { suggestion: Some(name), .. } => format!("did you mean {name}?"),
        data::Error::UnknownName { suggestion: None, .. } => {
            "pass a name that `mnist-study datasets` lists, or the path of a file or folder of images".to_owned()
        }
        data::Error::Unsuitable { .. } => {
            "choose another set: `mnist-study datasets` lists those that can be learnt from".to_owned()
        }
        data::Error::NoFolder { name } if name.starts_with('~') => {
            "write the home folder's path in full: the shell has not put it in the place of `~`".to_owned()
        }
        data::Error::NoFolder { .. } => {
            "check the path to the images; a relative one begins in the current folder"
                .to_owned()
        }
        data::Error::LabelColumns { .. } | data::Error::LabelRange { .. } | data::Error::SetSize { .. } => {
            "the file is of another dataset: check which one was put there".to_owned()
        }
        data::Error::WrongDigest { name, .. } => {
            format!(
                "it was changed since, or is of another dataset: `mnist-study datasets fetch {name}` gets it again"
            )
        }
        data::Error::NotFetched { name, .. } => format!("`mnist-study datasets fetch {name}` gets it"),
        data::Error::NoCacheFolder => format!("set {} to a folder", data::CACHE_VARIABLE),
        data::Error::NotADirectory { found, .. } => found
            .map_or("pass a folder of class folders, an npz file, a CSV file, CIFAR's binary files or a folder of four IDX files", |found| of_remedy(found.remedy()))
            .to_owned(),
        data::Error::AsPublished { name, .. } => {
            format!("pass --dataset {name} alone, or the path of a folder with its files")
        }
        data::Error::TwoPaths { name, .. } => format!("rename {name}: a colon leads to words such as `grey`"),
        data::Error::TestStated { .. } => "leave out --test-fraction: the stated test part is used".to_owned(),
        data::Error::NotForThis { word, .. } => match *word {
            "transposed" => "leave out --transpose".to_owned(),
            word => format!("leave out --{word}"),
        },
        data::Error::Folds { most, .. } => format!("pass 2 to {} folds", thousands(*most as u64)),
        data::Error::Groups { .. } => {
            "pass --groups with a CSV file of two columns, image and group, or with a pattern that each image's path has"
                .to_owned()
        }
        data::Error::Container(error) => of_container(error),
        data::Error::Indivisible { .. } => "give at least one class a second image".to_owned(),
        data::Error::SplitSize { largest, .. } => {
            format!("hold back at most {} images", thousands(*largest as u64))
        }
        data::Error::NoCopy => "hand over its four files, or use a program that was built with a copy".to_owned(),
        data::Error::Embedded(_) => "this copy of the program is damaged: install it again".to_owned(),
    }
}

/// What to do with a file of another kind.
fn of_remedy(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::PageDownload => {
            "the server sent a page instead of the file, such as an error or a sign-in page: download it again; MNIST itself \
             needs no file: --dataset mnist"
        }
        Remedy::Download => "download it again; MNIST itself needs no file: --dataset mnist",
        Remedy::Unpack => "unpack it, and pass the folder that it becomes",
        Remedy::UnpackOnce => "unpack it once, with gunzip, so that it is compressed once or not at all",
        Remedy::Convert => {
            "save its arrays in Python: np.savez(FILE, x_train=..., y_train=..., x_test=..., y_test=...)"
        }
        Remedy::ArrayFolder => {
            "pass its folder, with the images as x_train.npy and their labels as y_train.npy (x_test.npy, y_test.npy)"
        }
        Remedy::File => "pass the file itself with --dataset",
        Remedy::ClassFolders => {
            "put the images of each class into a folder of its name: FOLDER/CLASS/image.png"
        }
        Remedy::ImageKind => {
            "save the images as PNG, JPEG, GIF, BMP, WebP, TIFF, PNM or QOI, those of each class in a folder of its name"
        }
        Remedy::Folder => "pass the folder that holds all four IDX files",
        Remedy::Pickle => {
            "a pickle can run code, so none is read: save its arrays in Python with np.savez(FILE, x_train=..., y_train=...)"
        }
        Remedy::LargeFile => "fetch the file with `git lfs pull`, or download it from its publisher",
        Remedy::LabelRows => "pass --dataset qmnist, which reads them, or write one byte a label",
        Remedy::ByteOrder => "write its header in big-endian byte order, as the format has it",
    }
}

/// What to do about a name that no model has.
pub(crate) fn of_unknown_model(error: &UnknownModel) -> String {
    match &error.near {
        Some(near) => format!("did you mean `{near}`? `mnist-study models` lists what there is"),
        None => {
            let command = Arguments::command();
            let verbs: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            if let Some(verb) = near(&error.name, verbs.iter().copied()) {
                return format!("did you mean the command `mnist-study {verb}`? It comes before its options");
            }
            let names: Vec<String> =
                built_in_models().into_iter().map(|model| model.architecture.name).collect();
            format!("choose from {}; `mnist-study models` says what they are", names.join(", "))
        }
    }
}

/// What to do about a file that is no model of ours. `FILE` stands for its name.
pub(crate) fn of_model_file(error: &FormatError) -> String {
    match error {
        FormatError::OtherFormat(format) => of_other_format(*format).to_owned(),
        FormatError::NoDescription => "pass --architecture MODEL, the network that its weights are of".to_owned(),
        FormatError::Damaged(_) => {
            "download or copy the file again, or pass one that `mnist-study train MODEL --save FILE` made".to_owned()
        }
        FormatError::Description(_) => "pass a file that `mnist-study train MODEL --save FILE` made".to_owned(),
        FormatError::Changed { .. } => format!(
            "get the file again; to use the changed weights, save them without the metadata entry `{METADATA_KEY}` and pass \
             --architecture MODEL"
        ),
        FormatError::Redescribed { .. } => format!(
            "get the file again; to use its weights in another network, save them without the metadata entry `{METADATA_KEY}` and \
             pass --architecture MODEL"
        ),
        FormatError::Missing { .. } | FormatError::Surplus(_) | FormatError::Shape { .. } | FormatError::Unmatched { .. } => {
            "the names and shapes are those of the module that `mnist-study export FILE --pytorch MODULE.py` writes; \
             --map FROM=TO says what a layer is called there"
                .to_owned()
        }
        FormatError::Ambiguous { layers, candidates } => {
            let maps = candidates.iter().zip(layers).map(|(theirs, ours)| format!("--map {theirs}={ours}"));
            format!("say which is which: {}, or in another order", maps.collect::<Vec<_>>().join(" "))
        }
        FormatError::Map(_) => "write --map FROM=TO with the file's name and the network's, such as --map fc=dense".to_owned(),
        FormatError::NotFinite(_) => "the training that made it diverged, or the file is damaged: pass another".to_owned(),
        FormatError::Variance { .. } => {
            "the file is damaged, or has something else under that name: get it again, or save it with the variances that \
             the normalisation divided by"
                .to_owned()
        }
    }
}

/// What to type to have a file that is read. `FILE` stands for the name of the one that is not.
fn of_other_format(format: OtherFormat) -> &'static str {
    match format {
        OtherFormat::Empty => "download or copy the file again",
        OtherFormat::GitLfsPointer => "run `git lfs pull` in its repository, or download the file itself",
        OtherFormat::Html => "download the file itself: the address was that of a page about it",
        OtherFormat::PyTorchArchive | OtherFormat::Pickle => {
            "in Python: import torch; from safetensors.torch import save_file; \
             save_file(torch.load(\"FILE\", weights_only=True), \"FILE.safetensors\")"
        }
        OtherFormat::KerasArchive | OtherFormat::Hdf5 => {
            "write the weights with Python as docs/how-to/pytorch.md does under \"From Keras\""
        }
        OtherFormat::NumpyArchive => {
            "in Python: import numpy; from safetensors.numpy import save_file; \
             save_file(dict(numpy.load(\"FILE\")), \"FILE.safetensors\")"
        }
        OtherFormat::NumpyArray => {
            "a file of one array is no network: in Python, give all arrays by their names to \
             safetensors.numpy.save_file"
        }
        OtherFormat::Zip | OtherFormat::Gzip => "unpack it, and pass the .safetensors file that is in it",
        OtherFormat::Onnx => {
            "ONNX files are written, not read; in Python: import onnx; from safetensors.numpy import save_file; \
             save_file({t.name: onnx.numpy_helper.to_array(t).copy() for t in onnx.load(\"FILE\").graph.initializer}, \
             \"FILE.safetensors\")"
        }
        OtherFormat::TensorFlowLite | OtherFormat::Gguf => {
            "export the network's float32 weights as .safetensors from the program that trained it"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn of_source(name: &str) -> String {
        of_data(&data::Source::parse(name).expect_err("no data set"))
    }

    #[test]
    fn a_command_among_models_is_told() {
        let of = |name: &str| of_unknown_model(&UnknownModel { name: name.to_owned(), near: None });
        for mistyped in ["comapre", "models"] {
            assert!(of(mistyped).starts_with("did you mean the command `mnist-study "), "{}", of(mistyped));
        }
        assert!(of("nothing-like-it").starts_with("choose from mlp, cnn"), "{}", of("nothing-like-it"));
    }

    #[test]
    fn a_name_is_answered_by_those_that_there_are() {
        assert_eq!(of_source("fashon-mnist"), "did you mean fashion-mnist?");
        assert_eq!(
            of_source("something-else"),
            "pass a name that `mnist-study datasets` lists, or the path of a file or folder of images"
        );
        assert!(of_source("./minst").starts_with("check the path"));
        assert!(of_source("~/mnist").starts_with("write the home folder"));
    }

    #[test]
    fn a_folder_is_answered_by_what_is_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let of_folder = || of_data(&data::load_directory(folder.path()).expect_err("no data set"));
        assert!(data::FILE_NAMES.iter().all(|name| of_folder().contains(name)), "{}", of_folder());
        fs::write(folder.path().join("x.zip"), b"PK\x03\x04").expect("written");
        assert_eq!(of_folder(), "unpack it, and pass the folder that it becomes");
        let below = folder.path().join("raw");
        fs::create_dir(&below).expect("made");
        data::FILE_NAMES.iter().for_each(|name| fs::write(below.join(name), b"").expect("written"));
        assert_eq!(of_folder(), format!("pass --dataset {}", below.display()));
    }

    #[test]
    fn a_file_is_answered_by_what_it_is() {
        let file = || "f".to_owned();
        let magic = |expected, found| of_data(&data::Error::WrongMagic { file: file(), expected, found });
        assert_eq!(
            magic(idx::IMAGES_MAGIC, idx::LABELS_MAGIC),
            "images and labels look exchanged: check both files' names"
        );
        assert!(magic(idx::LABELS_MAGIC, 0x0d01).starts_with("give an IDX file of 8-bit labels"));
        let split = |validation| {
            let error = data::stratified_split(&[0; 2_000], 2, validation, data::SPLIT_SEED);
            of_data(&error.expect_err("no split"))
        };
        assert_eq!(split(2_000), "hold back at most 1,999 images");
        assert!(of_remedy(Remedy::UnpackOnce).contains("gunzip"));
    }

    #[test]
    fn a_model_is_answered_by_the_near_one_or_all() {
        let of_model = |name: &str| {
            of_unknown_model(&study::study_file::built_in_model(name).expect_err("there is none"))
        };
        assert_eq!(of_model("lsmt"), "did you mean `lstm`? `mnist-study models` lists what there is");
        let all = of_model("something else");
        assert!(all.starts_with("choose from ") && all.contains(", cnn, "), "{all}");
    }

    #[test]
    fn layers_that_could_be_either_are_asked_about() {
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        let error = FormatError::Ambiguous {
            layers: names(["dense2", "dense3"]),
            candidates: names(["output", "query"]),
        };
        let hint = "say which is which: --map output=dense2 --map query=dense3, or in another order";
        assert_eq!(of_model_file(&error), hint);
    }
}
