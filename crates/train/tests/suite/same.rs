//! The same bits: as ever, on any number of threads, whatever is switched on.

use crate::common::{corpus, fingerprint, model, network, small, train};
use data::Augmentation;
use nn::{AdamConstants, InstructionSet, MuonConstants, OptimiserSpec, check_precision};
use train::{Precision, Recipe, Schedule, TestTimeAugmentation};

/// The study's CNN.
const CNN: &str =
    "conv 32 3x3, relu, maxpool 2, conv 64 3x3, relu, maxpool 2, flatten, dense 128, relu, dense classes";

/// Two epochs of the default recipe on each x86 kernel and the portable ones: the bits of `ENGINE_REVISION`.
#[test]
fn the_studys_recipe_gives_the_bits_of_its_engine_revision() {
    let corpus = corpus();
    let mut wrong = Vec::new();
    for set in InstructionSet::available() {
        let expected = match set.name() {
            "portable" => [0x4afc_a39c_97b8_9d94, 0xd533_c329_8087_8557],
            "avx2" => [0x9bf9_890c_f9ff_59d4, 0xad4c_de8a_5c47_cf10],
            "avx512" => [0x3063_9fa7_2a6a_4e21, 0x7ea8_a88a_2bb9_db6b],
            _ => continue,
        };
        let found = [CNN, "lstm 128, dense classes"].map(|layers| {
            let mut model = model(set, &network(layers));
            let fitted = train(&mut model, Recipe { epochs: 2, ..Recipe::default() }, &corpus);
            assert_eq!(fitted.kept_epoch, 2);
            fingerprint(model.parameters())
        });
        wrong.extend((found != expected).then(|| format!("{}: {found:#x?}", set.name())));
    }
    assert!(wrong.is_empty(), "other bits: {}", wrong.join(", "));
}

/// One epoch in bfloat16 on the portable tiles, and on the machine's where it has any: their sums are the same, and everything else has the
/// bits of the vectors beside them.
#[test]
fn bfloat16_gives_the_bits_of_its_engine_revision() {
    let corpus = data::synthetic(5, 100, 20, 28, 28, 10);
    let few =
        "conv 16 5x5 stride 2, relu, conv 24 3x3 stride 2 same, relu, flatten, dense 32, relu, dense classes";
    let mut wrong = Vec::new();
    for set in InstructionSet::available() {
        let expected = match set.name() {
            "portable" => [0x1527_750c_4ab3_0e4c, 0x3c84_2304_0417_0cab, 0xa84b_033e_7ab5_3b24],
            "avx512" if check_precision(set, Precision::Bf16).is_ok() => {
                [0xad00_3563_b6ff_e467, 0x86ec_8a3f_52f2_6fc6, 0x9a72_da6d_5dce_976e]
            }
            _ => continue,
        };
        let found = [CNN, few, "lstm 24 sequence, gru 16, dense classes"].map(|layers| {
            let mut model = model(set, &network(layers));
            train(&mut model, Recipe { epochs: 1, precision: Precision::Bf16, ..Recipe::default() }, &corpus);
            fingerprint(model.parameters())
        });
        wrong.extend((found != expected).then(|| format!("{}: {found:#x?}", set.name())));
    }
    assert!(wrong.is_empty(), "other bits: {}", wrong.join(", "));
}

/// One epoch of the study's CNN, of layers with a border, strides and a sum, and of few filters, on images of 16×16×3; and what the second,
/// whose batch normalisation is folded then, infers.
#[test]
fn colour_gives_the_bits_of_its_engine_revision() {
    let grey = data::synthetic(5, 300, 40, 16, 48, 10);
    let colour = |set: &data::Dataset| {
        let images = (0..set.len()).flat_map(|index| set.image(index).to_vec()).collect();
        let shape = nn::ImageShape { height: 16, width: 16, channels: 3 };
        data::Dataset::new("colour", images, set.labels().to_vec(), shape, 10).expect("images")
    };
    let corpus = data::Corpus::new("colour", colour(grey.training()), colour(grey.test())).expect("sets");
    let mut residual =
        network("conv 16 3x3 same no bias, batchnorm, relu, relu, global avgpool, dense classes");
    let body = "conv 16 3x3 stride 2 same no bias, batchnorm, relu, conv 16 3x3 same";
    residual.layers.insert(
        3,
        nn::LayerSpec::Residual {
            body: network(body).layers,
            shortcut: network("conv 16 1x1 stride 2 no bias").layers,
        },
    );
    let mut wrong = Vec::new();
    for set in InstructionSet::available() {
        let expected = match set.name() {
            "portable" => {
                ([0xeecc_89ed_56b5_90ef, 0xed5f_c815_ad40_d076, 0x0491_bb3b_fb46_f07d], 0x1923_5e81_2b3f_8759)
            }
            "avx2" => {
                ([0x8b92_ad1f_ab0c_ff24, 0x2a01_3f6c_a04f_7639, 0x3541_fa39_6cd3_3baa], 0xc11c_a850_ada3_485f)
            }
            "avx512" => {
                ([0x9f5c_1f84_5f80_7c90, 0x0ea6_7ff1_eb70_cbe7, 0xbcd6_85e3_5bf3_f339], 0x1e83_f7d4_47f8_cc03)
            }
            _ => continue,
        };
        let few = network("conv 4 5x5, tanh, maxpool 2, flatten, dense classes");
        let mut logits = 0;
        let found = [&network(CNN), &residual, &few].map(|layers| {
            let shape = nn::ImageShape { height: 16, width: 16, channels: 3 };
            let mut model = nn::Model::new(set, layers, shape, 10, 128).expect("it fits");
            train(&mut model, Recipe { epochs: 1, ..Recipe::default() }, &corpus);
            if std::ptr::eq(layers, &residual) {
                model.set_batch(40, |image| corpus.test().image(image));
                logits = fingerprint(model.forward(40));
            }
            fingerprint(model.parameters())
        });
        let found = (found, logits);
        wrong.extend((found != expected).then(|| format!("{}: {found:#x?}", set.name())));
    }
    assert!(wrong.is_empty(), "other bits: {}", wrong.join(", "));
}

/// Layers and recipes that together call every elementary function of a run. Their bits are those of every platform: what
/// changes them needs another `ENGINE_REVISION`.
#[test]
fn everything_gives_the_bits_that_it_gives_on_other_platforms() {
    let corpus = corpus();
    let layers = "patches 7, dense 16, position, layernorm, attention 2, gelu, lstm 8 sequence, \
                  gru 6 bidirectional, batchnorm, silu, dropout 0.2, dense classes";
    let all_augmentation = Augmentation {
        shift: 2.0,
        rotation: 10.0,
        scale: 0.1,
        shear: 5.0,
        elastic: 8.0,
        erasing: 0.3,
        mixup: 0.4,
        cutmix: 0.5,
        ..Augmentation::default()
    };
    let cosine = Recipe {
        epochs: 2,
        schedule: Schedule::Cosine { warm_up: 0.2, final_fraction: 0.1 },
        augmentation: all_augmentation,
        ..Recipe::default()
    };
    let everything = recipes().swap_remove(0);
    let mut wrong = Vec::new();
    for set in InstructionSet::available() {
        let expected = match set.name() {
            "portable" => [0x42ff_0e41_59ae_cf2b, 0x54a2_b938_8da0_73d6],
            "avx2" => [0x4b79_d751_ef5f_991d, 0xf250_c9b4_55d6_9331],
            "avx512" => [0x789e_1567_5465_4b70, 0x9279_98ef_e6fd_d8b0],
            _ => continue,
        };
        let found = [&cosine, &everything].map(|recipe| {
            let mut model = model(set, &network(layers));
            train(&mut model, recipe.clone(), &corpus);
            fingerprint(model.parameters())
        });
        wrong.extend((found != expected).then(|| format!("{}: {found:#x?}", set.name())));
    }
    assert!(wrong.is_empty(), "other bits: {}", wrong.join(", "));
}

/// Recipes with everything that there is, two of them with few things, so that one cannot hide behind another.
pub fn recipes() -> Vec<Recipe> {
    let everything = Recipe {
        epochs: 2,
        batch_size: 64,
        optimiser: OptimiserSpec::Muon(MuonConstants::default()),
        learning_rate: 0.01,
        schedule: Schedule::OneCycle { warm_up: 0.3, initial_fraction: 0.1, final_fraction: 0.0 },
        weight_decay: 0.01,
        label_smoothing: 0.1,
        gradient_clip: Some(0.5),
        average_decay: Some(0.9),
        early_stopping: Some(1),
        keep_best: true,
        test_time_augmentation: TestTimeAugmentation::FourShifts,
        augmentation: Augmentation { shift: 2.0, rotation: 10.0, mixup: 0.2, ..Augmentation::default() },
        ..Recipe::default()
    };
    let augmented = Recipe {
        epochs: 2,
        augmentation: Augmentation {
            crop: 2,
            flip: 0.5,
            brightness: 0.2,
            contrast: 0.2,
            cutmix: 1.0,
            ..Augmentation::default()
        },
        ..Recipe::default()
    };
    let clipped = Recipe {
        epochs: 2,
        optimiser: OptimiserSpec::AdamW(AdamConstants::default()),
        weight_decay: 0.1,
        gradient_clip: Some(0.1),
        ..Recipe::default()
    };
    vec![everything, augmented, clipped]
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let corpus = corpus();
    let trained = |recipe: &Recipe, set, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let mut model = model(set, &small());
            let fitted = train(&mut model, recipe.clone(), &corpus);
            (fingerprint(model.parameters()), fitted)
        })
    };
    for set in InstructionSet::available() {
        for (number, recipe) in recipes().iter().enumerate() {
            let one = trained(recipe, set, 1);
            for threads in [2, 3] {
                let other = trained(recipe, set, threads);
                assert_eq!(other, one, "recipe {number}, {}, {threads} threads", set.name());
            }
        }
    }
}

/// Allocations of a training do not grow with its steps. On one thread, where the counter sees all of it.
#[test]
fn a_step_allocates_nothing() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        for (number, recipe) in recipes().into_iter().chain([Recipe::default()]).enumerate() {
            let corpora = [60, 60, 300].map(|images| data::synthetic(5, images, 40, 28, 28, 10));
            let counts = corpora.map(|corpus| {
                let recipe = Recipe { epochs: 1, batch_size: 20, ..recipe.clone() };
                let mut model = model(InstructionSet::PORTABLE, &small());
                allocation_counter::measure(|| drop(train(&mut model, recipe, &corpus))).count_total
            });
            assert!(counts[1] > 0, "it counts");
            assert_eq!(counts[2], counts[1], "recipe {number}: fifteen steps against three");
        }
    });
}
