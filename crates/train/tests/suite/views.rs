//! Several views of an image and their mean answer.

use crate::common::{corpus, model, small, train};
use nn::InstructionSet;
use train::{Native, Recipe, Subset, TestTimeAugmentation, evaluate, predict};

/// Each view is predicted as a data set of its own; the means are taken in f64.
#[test]
fn the_answer_is_the_mean_over_the_shifts() {
    let corpus = corpus();
    let test = corpus.test();
    let mut model = model(InstructionSet::PORTABLE, &small());
    train(&mut model, Recipe { epochs: 1, ..Recipe::default() }, &corpus);
    let engine = &mut Native::new(&mut model);
    let moved = |rows: isize, columns: isize| {
        let mut images = vec![0; test.images().len()];
        for (index, pixel) in images.iter_mut().enumerate() {
            let (image, row, column) = (index / 784, (index / 28 % 28) as isize, (index % 28) as isize);
            let (row, column) = (row - rows, column - columns);
            if (0..28).contains(&row) && (0..28).contains(&column) {
                *pixel = test.image(image)[(row * 28 + column) as usize];
            }
        }
        data::Dataset::new("moved", images, test.labels().to_vec(), [28, 28], 10).expect("a set")
    };
    let four = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)];
    let eight: Vec<_> = (-1..=1).flat_map(|rows| (-1..=1).map(move |columns| (rows, columns))).collect();
    for (augmentation, views) in
        [(TestTimeAugmentation::FourShifts, &four[..]), (TestTimeAugmentation::EightShifts, &eight[..])]
    {
        let mut mean = vec![0.0; 400];
        for (rows, columns) in views {
            let view = moved(*rows, *columns);
            let one = predict(engine, Subset::all(&view), TestTimeAugmentation::None);
            mean.iter_mut().zip(&one.probabilities).for_each(|(mean, p)| *mean += f64::from(*p));
        }
        mean.iter_mut().for_each(|sum| *sum /= views.len() as f64);
        let found = predict(engine, Subset::all(test), augmentation);
        let mut loss = 0.0;
        for (image, row) in mean.chunks_exact(10).enumerate() {
            loss -= row[usize::from(test.labels()[image])].ln();
            for (class, p) in row.iter().enumerate() {
                assert!((f64::from(found.probabilities[image * 10 + class]) - p).abs() < 1e-6);
            }
        }
        assert!((found.evaluation.loss_sum - loss).abs() < 1e-3, "{loss}, {:?}", found.evaluation);
        let right = found.classes.iter().zip(test.labels()).filter(|(class, label)| class == label).count();
        assert_eq!((found.evaluation.correct, found.evaluation.images), (right, 40));
        assert_eq!(evaluate(engine, Subset::all(test), augmentation), found.evaluation);
        let plain = evaluate(engine, Subset::all(test), TestTimeAugmentation::None);
        assert_ne!(plain.loss_sum, found.evaluation.loss_sum);
    }
}
