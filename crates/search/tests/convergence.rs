//! Whether the search finds what there is to find, and what it costs, on functions whose optimum is known.

use search::*;

/// Where the quadratic is lowest, as places in its dimensions.
const OPTIMUM: [f64; 4] = [0.2, 0.7, 0.45, 0.9];

/// A learning rate, a share, a width and a rotation, alike only in their unit interval.
fn space() -> Space {
    let dimension = |name: &str, domain| Dimension { name: name.into(), domain };
    Space::new(vec![
        dimension("learning_rate", Domain::LogUniform { low: 1e-4, high: 1e-1 }),
        dimension("dropout", Domain::Uniform { low: 0.0, high: 1.0 }),
        dimension("width", Domain::LogInteger { low: 8, high: 512 }),
        dimension("rotation", Domain::Integer { low: 0, high: 199 }),
    ])
    .unwrap()
}

/// The places of a point, written down anew: the logarithm for the first and third, the share for the others.
fn places(point: &[Value]) -> [f64; 4] {
    let number = |value: &Value| match *value {
        Value::Number(number) => number,
        Value::Integer(integer) => integer as f64,
        Value::Choice(choice) => choice as f64,
    };
    let logarithm = |value: f64, low: f64, high: f64| (value / low).ln() / (high / low).ln();
    [
        logarithm(number(&point[0]), 1e-4, 1e-1),
        number(&point[1]),
        logarithm(number(&point[2]), 7.5, 512.5),
        (number(&point[3]) + 0.5) / 200.0,
    ]
}

fn regret(point: &[Value]) -> f64 {
    places(point).iter().zip(OPTIMUM).map(|(place, optimum)| (place - optimum).powi(2)).sum()
}

/// Noise of standard deviation 0.01 that depends on the point and the seed alone: a sum of twelve uniform numbers.
fn noise(point: &[Value], seed: u64) -> f64 {
    let bits = places(point).iter().fold(seed, |bits, place| bits.rotate_left(17) ^ place.to_bits());
    let uniform = |k: u64| {
        let mixed = (bits ^ k.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        f64::from(((mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 40) as u32)
            / f64::from(1 << 24)
    };
    0.01 * ((1..=12).map(uniform).sum::<f64>() - 6.0)
}

/// The regret of the point that the search would hand out, and the trials.
fn search(sampler: Sampler, seed: u64, count: usize) -> (f64, Vec<Trial>) {
    let mut trials: Vec<Trial> = Vec::new();
    for _ in 0..count {
        let point = History::of(&space(), trials.clone()).suggest(sampler, seed).unwrap();
        let value = -(regret(&point) + noise(&point, seed));
        let scores = vec![Score { value, penalty: 0.0 }];
        trials.push(Trial { point, length: 1, scores, failed: false });
    }
    (regret(&trials[ranking(&trials)[0]].point), trials)
}

/// The same where so many trials are made at a time.
fn search_in_rounds(sampler: Sampler, seed: u64, count: usize, round: usize) -> f64 {
    let mut history = History::of(&space(), []);
    while history.trials().len() < count {
        let mut points = Vec::new();
        for _ in 0..round.min(count - history.trials().len()) {
            let point = history.suggest(sampler, seed).unwrap();
            history.begin(point.clone());
            points.push(point);
        }
        for point in points {
            let value = -(regret(&point) + noise(&point, seed));
            let scores = vec![Score { value, penalty: 0.0 }];
            history.push(Trial { point, length: 1, scores, failed: false });
        }
    }
    regret(&history.trials()[ranking(history.trials())[0]].point)
}

/// The geometric mean of the regret after 50 trials over 100 seeds, when written: 0.013 one at a time, 0.012 four, 0.014 eight, 0.019
/// sixteen at a time. Without what was begun among the bad ones: 0.022, 0.031 and 0.046.
#[test]
fn rounds_of_a_few_trials_find_as_much() {
    let mean = |round: usize| {
        let logarithms = (0..40).map(|seed| search_in_rounds(Sampler::Tpe, seed, 50, round).ln());
        (logarithms.sum::<f64>() / 40.0).exp()
    };
    let (alone, four) = (mean(1), mean(4));
    assert_eq!(search_in_rounds(Sampler::Tpe, 3, 50, 1), search(Sampler::Tpe, 3, 50).0);
    assert!(four < 1.3 * alone, "a regret of {four} in rounds of four, {alone} one at a time");
}

/// Over forty seeds and fifty trials each. Found when written: a geometric mean of 0.061 at random and 0.013 by TPE, which was
/// the better in 36 of 40. By luck alone, 28 of 40 happen once in a hundred times.
#[test]
fn tpe_beats_lots_on_a_noisy_quadratic() {
    let (mut wins, mut logarithms) = (0, [0.0; 2]);
    for seed in 0..40 {
        let (at_random, by_model) = (search(Sampler::Random, seed, 50).0, search(Sampler::Tpe, seed, 50).0);
        wins += u32::from(by_model < at_random);
        logarithms[0] += at_random.ln() / 40.0;
        logarithms[1] += by_model.ln() / 40.0;
    }
    let [at_random, by_model] = logarithms.map(f64::exp);
    assert!(wins >= 28, "TPE is better in {wins} of 40");
    assert!(by_model < 0.5 * at_random, "a regret of {by_model} by TPE, {at_random} at random");
}

/// One choice of eight is better by ten times the noise of the rest.
#[test]
fn tpe_settles_on_the_best_choice() {
    let space = Space::new(vec![
        Dimension { name: "optimiser".into(), domain: Domain::Choice { count: 8 } },
        Dimension { name: "free".into(), domain: Domain::Uniform { low: 0.0, high: 1.0 } },
    ])
    .unwrap();
    let mut settled = 0;
    for seed in 0..20 {
        let mut trials: Vec<Trial> = Vec::new();
        for _ in 0..60 {
            let point = History::of(&space, trials.clone()).suggest(Sampler::Tpe, seed).unwrap();
            let (Value::Choice(choice), Value::Number(free)) = (point[0], point[1]) else {
                panic!("{point:?}");
            };
            let value = f64::from(u8::from(choice == 5)) + 0.1 * free;
            trials.push(Trial {
                point,
                length: 1,
                scores: vec![Score { value, penalty: 0.0 }],
                failed: false,
            });
        }
        let late = trials[40..].iter().filter(|trial| trial.point[0] == Value::Choice(5)).count();
        settled += usize::from(late >= 10);
    }
    // At random a choice would come 2.5 times in 20.
    assert!(settled >= 18, "settled in {settled} of 20 searches");
}

/// Trainings whose accuracy rises to their own limit: halving must find as good a trial for far fewer epochs.
#[test]
fn halving_keeps_the_best_and_saves_epochs() {
    let (length, halving) = (9, Halving::default());
    let score = |point: &[Value], epoch: u64| {
        let value = (1.0 - regret(point)) * (1.0 - 0.5f64.powi(epoch as i32));
        Score { value, penalty: 0.0 }
    };
    let space = space();
    for seed in 0..10 {
        let mut trials: Vec<Trial> = Vec::new();
        let mut epochs = 0;
        for _ in 0..81 {
            let point = History::of(&space, trials.clone()).suggest(Sampler::Random, seed).unwrap();
            let mut scores = Vec::new();
            for epoch in 1..=length {
                scores.push(score(&point, epoch));
                epochs += 1;
                if !halving.goes_on(&trials, length, &scores) {
                    break;
                }
            }
            trials.push(Trial { point, length, scores, failed: false });
        }
        let best = trials.iter().map(|trial| regret(&trial.point)).fold(f64::INFINITY, f64::min);
        let first = &trials[ranking(&trials)[0]];
        assert_eq!(regret(&first.point), best, "seed {seed}");
        assert!(first.finished(), "seed {seed}");
        // A third goes on after 1 epoch and a third of those after 3: 1 + 2/3 + 6/9 of 9, and the first few who lead.
        assert!(epochs < 81 * 4, "{epochs} epochs of {}", 81 * length);
    }
}

/// Only the first dimension counts, with its best in the middle, where a correlation would see nothing.
#[test]
fn importance_finds_what_matters() {
    let space = space();
    for seed in 0..10 {
        let mut trials: Vec<Trial> = Vec::new();
        for _ in 0..60 {
            let point = History::of(&space, trials.clone()).suggest(Sampler::Random, seed).unwrap();
            let value = -(places(&point)[0] - 0.5).abs() + noise(&point, seed);
            trials.push(Trial {
                point,
                length: 1,
                scores: vec![Score { value, penalty: 0.0 }],
                failed: false,
            });
        }
        let found = importance(&space, &trials);
        let shares: Vec<f64> = found.iter().map(|importance| importance.as_ref().unwrap().share).collect();
        assert!(shares[0] > 0.5 && found[0].as_ref().unwrap().p_value < 1e-4, "{found:?}");
        assert!(shares[1..].iter().all(|share| *share < 0.3), "{found:?}");
    }
    assert_eq!(importance(&space, &search(Sampler::Random, 0, MINIMUM_TRIALS - 1).1), vec![None; 4]);
}
