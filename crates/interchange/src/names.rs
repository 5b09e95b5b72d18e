//! Which of a file's tensors is which of the network's.
//!
//! Names are ours after what all of them begin with is left out (`module.`, `_orig_mod.`, `model.`), or as
//! [`NameMap`]s say. As soon as one layer of the file has another name, all that no map names are taken by their tensors'
//! names within the layer and by their shapes: where several layers are alike in these and not all have our names, by the
//! numbers in their names, if their names differ in nothing else. The layers of one recurrent module (`weight_ih_l0`,
//! `weight_ih_l1`) count as a layer each.

use crate::{
    FormatError, Remark,
    escape::{listed, shown},
    graph::{Graph, Node},
    state_dict::StateTensor,
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    str::FromStr,
};

/// What a file calls a layer, or a group of numbered layers, and what the network calls it: `fc=dense` makes `dense1` of
/// `fc1`, `encoder.head=dense2` makes `dense2.weight` of `encoder.head.weight`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameMap {
    from: String,
    to: String,
}

impl FromStr for NameMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((from, to)) if !from.is_empty() && !to.is_empty() => {
                Ok(Self { from: from.to_owned(), to: to.to_owned() })
            }
            _ => Err("the file's name, =, and the network's expected, such as fc=dense".to_owned()),
        }
    }
}

impl fmt::Display for NameMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.from, self.to)
    }
}

impl NameMap {
    /// What a name becomes, where it is the one, or goes on with a number or within the layer.
    fn apply(&self, name: &str) -> Option<String> {
        let rest = name.strip_prefix(&self.from)?;
        let ends = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        (ends.is_empty() || ends.starts_with('.')).then(|| format!("{}{rest}", self.to))
    }
}

/// A tensor of the file.
#[derive(Debug, Clone)]
pub(crate) struct FileTensor<'a> {
    pub(crate) name: &'a str,
    pub(crate) shape: &'a [usize],
}

/// The network's tensors, each with its name in the file, and what was made of the names.
#[derive(Debug)]
pub(crate) struct Pairing<'a, 'b> {
    pub(crate) pairs: Vec<(&'a StateTensor, &'b str)>,
    pub(crate) remarks: Vec<Remark>,
}

/// By a tensor's name within its layer its shape, and its name in the file.
type Members<'a> = BTreeMap<String, (&'a [usize], &'a str)>;

/// A layer of the file.
#[derive(Debug, Clone)]
struct FileLayer<'a> {
    /// As the file has it, without the shared prefix.
    name: String,
    /// Which layer of a recurrent module.
    level: usize,
    /// Whether a map says which of the network's it is.
    mapped: bool,
    members: Members<'a>,
}

impl FileLayer<'_> {
    fn signature(&self) -> Signature {
        self.members.iter().map(|(name, (shape, _))| (name.clone(), shape.to_vec())).collect()
    }

    /// The name with each number replaced by `#`, and the numbers.
    fn pattern(&self) -> (String, Vec<u64>) {
        let (mut pattern, mut numbers) = (String::new(), Vec::new());
        let mut rest = self.name.as_str();
        while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
            let end = rest[start..].find(|letter: char| !letter.is_ascii_digit());
            let end = end.map_or(rest.len(), |length| start + length);
            pattern.push_str(&rest[..start]);
            pattern.push('#');
            numbers.push(rest[start..end].parse().unwrap_or(u64::MAX));
            rest = &rest[end..];
        }
        pattern.push_str(rest);
        numbers.push(self.level as u64);
        (pattern, numbers)
    }

    fn shown(&self) -> String {
        match self.level {
            0 => shown(&self.name),
            level => format!("{} (layer {level})", shown(&self.name)),
        }
    }

    /// With its tensors.
    fn described(&self) -> String {
        described(&self.shown(), &self.signature())
    }
}

/// A layer's tensors and their shapes: layers that are alike in these cannot be told apart but by their names.
type Signature = BTreeMap<String, Vec<usize>>;

fn signature_of(node: &Node) -> Signature {
    node.tensors.iter().map(|tensor| (within(node, tensor).to_owned(), tensor.shape.clone())).collect()
}

/// A tensor's name within its layer.
fn within<'a>(node: &Node, tensor: &'a StateTensor) -> &'a str {
    &tensor.name[node.name.len() + 1..]
}

fn described(name: &str, signature: &Signature) -> String {
    let tensors: Vec<String> =
        signature.iter().map(|(tensor, shape)| format!("{} {shape:?}", shown(tensor))).collect();
    format!("{name} ({})", listed(&tensors))
}

/// Finds the network's tensors among those of a file.
pub(crate) fn pair<'a, 'b>(
    graph: &'a Graph,
    tensors: &'b [FileTensor<'b>],
    maps: &[NameMap],
) -> Result<Pairing<'a, 'b>, FormatError> {
    let mut remarks = Vec::new();
    let prefix = shared_prefix(tensors);
    if !prefix.is_empty() {
        remarks.push(Remark::Prefix(prefix.to_owned()));
    }
    let nodes: Vec<&Node> = graph.nodes.iter().filter(|node| !node.tensors.is_empty()).collect();
    let mut layers = layers_of(tensors, prefix, maps, &nodes)?;
    let (mut found, mut open) = (HashMap::new(), Vec::new());
    for node in &nodes {
        match layers.remove(&(node.name.clone(), 0)) {
            Some(layer) => drop(found.insert(node.name.as_str(), layer)),
            None => open.push(*node),
        }
    }
    let mut left: Vec<FileLayer> = layers.into_values().collect();
    if !open.is_empty() && !left.is_empty() {
        // Where names differ, the same name need not be the same layer: counted from 0, their lstm1 is our lstm2.
        let unmapped = |node: &&Node| found.get(node.name.as_str()).is_none_or(|layer| !layer.mapped);
        let nodes: Vec<&Node> = nodes.iter().copied().filter(unmapped).collect();
        let named = nodes.iter().filter_map(|node| found.get(node.name.as_str()));
        let candidates: Vec<FileLayer> = left.iter().chain(named).cloned().collect();
        let matched = match groups(&nodes, &candidates).or_else(|| groups(&open, &left)) {
            Some(groups) => {
                left.clear();
                matched(groups)?
            }
            None => by_number(&open, &mut left)?,
        };
        found.extend(matched.into_iter().map(|(node, layer)| (node.name.as_str(), layer)));
    }
    let names =
        nodes.iter().filter_map(|node| Some((found.get(node.name.as_str())?.shown(), node.name.clone())));
    let renamed: Vec<(String, String)> = names.filter(|(theirs, ours)| theirs != ours).collect();
    if !renamed.is_empty() {
        remarks.push(Remark::Renamed(renamed));
    }
    let mut pairs = Vec::new();
    for node in &nodes {
        for tensor in &node.tensors {
            let layer = found.get_mut(node.name.as_str());
            let Some((_, name)) = layer.and_then(|layer| layer.members.remove(within(node, tensor))) else {
                return Err(FormatError::Missing { name: tensor.name.clone(), shape: tensor.shape.clone() });
            };
            pairs.push((tensor, name));
        }
    }
    match left.iter().chain(found.values()).flat_map(|layer| layer.members.values()).next() {
        Some((_, name)) => Err(FormatError::Surplus((*name).to_owned())),
        None => Ok(Pairing { pairs, remarks }),
    }
}

/// Parts of a shared prefix, at most.
const MOST_PREFIXES: usize = 16;

/// The parts that all names begin with, as long as something is left of each, and of one a layer and a tensor of it.
fn shared_prefix<'b>(tensors: &[FileTensor<'b>]) -> &'b str {
    let Some(first) = tensors.first() else { return "" };
    let mut prefix = "";
    for _ in 0..MOST_PREFIXES {
        let Some(length) = first.name[prefix.len()..].find('.') else { break };
        let longer = &first.name[..=prefix.len() + length];
        let rest = |tensor: &FileTensor<'b>| tensor.name.strip_prefix(longer).filter(|rest| !rest.is_empty());
        let is_within_a_layer =
            |tensor: &FileTensor<'b>| rest(tensor).is_some_and(|rest| !split(rest).1.is_empty());
        if !tensors.iter().all(|tensor| rest(tensor).is_some()) || !tensors.iter().any(is_within_a_layer) {
            break;
        }
        prefix = longer;
    }
    prefix
}

/// A tensor's layer and its name within the layer, which is empty where there is no layer.
fn split(name: &str) -> (&str, &str) {
    let last = |name: &str| name.rfind('.');
    let Some(mut end) = last(name) else { return (name, "") };
    if name[..end].ends_with(".out_proj") {
        end -= ".out_proj".len();
    } else if &name[..end] == "out_proj" {
        return (name, "");
    }
    (&name[..end], &name[end + 1..])
}

/// The file's layers, by the name that maps make of theirs and by their place within a recurrent module.
fn layers_of<'b>(
    tensors: &'b [FileTensor<'b>],
    prefix: &str,
    maps: &[NameMap],
    nodes: &[&Node],
) -> Result<BTreeMap<(String, usize), FileLayer<'b>>, FormatError> {
    let mut layers: BTreeMap<(String, usize), FileLayer> = BTreeMap::new();
    let mut unused: Vec<&NameMap> = maps.iter().collect();
    for FileTensor { name, shape } in tensors {
        let short = &name[prefix.len()..];
        let applied =
            maps.iter().filter_map(|map| Some((map, map.apply(short).or_else(|| map.apply(name))?)));
        let (map, mapped) = match applied.max_by_key(|(map, _)| map.from.len()) {
            Some((map, mapped)) => (Some(map), mapped),
            None => (None, short.to_owned()),
        };
        let (layer, member) = split(&mapped);
        if let Some(map) = map {
            unused.retain(|one| *one != map);
            if nodes.iter().all(|node| node.name != layer) {
                let known: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
                return Err(FormatError::Map(format!(
                    "{}: a layer of the network expected ({}), {} found",
                    shown(&map.to_string()),
                    listed(&known),
                    shown(layer)
                )));
            }
        }
        let (member, level) = level_of(member);
        let entry = layers.entry((layer.to_owned(), level)).or_insert_with(|| FileLayer {
            name: split(short).0.to_owned(),
            level,
            mapped: false,
            members: BTreeMap::new(),
        });
        entry.mapped |= map.is_some();
        if let Some((_, other)) = entry.members.insert(member, (shape, name)) {
            let (one, other) = (shown(other), shown(name));
            return Err(FormatError::Map(format!("{one} and {other} both become {}", shown(&mapped))));
        }
    }
    match unused.first() {
        Some(map) => {
            let names: Vec<String> = layers.values().map(FileLayer::shown).collect();
            Err(FormatError::Map(format!(
                "{}: a layer of the file expected ({}), {} found",
                shown(&map.to_string()),
                listed(&names),
                shown(&map.from)
            )))
        }
        None => Ok(layers),
    }
}

/// `weight_ih_l1_reverse` as `weight_ih_l0_reverse` of layer 1.
fn level_of(member: &str) -> (String, usize) {
    for start in ["weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"] {
        let Some(rest) = member.strip_prefix(start) else { continue };
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        if let Ok(level) = rest[..digits].parse() {
            return (format!("{start}0{}", &rest[digits..]), level);
        }
    }
    (member.to_owned(), 0)
}

/// Nodes, and as many of the file's layers, that are alike.
type Group<'a, 'b> = (Vec<&'a Node>, Vec<FileLayer<'b>>);

/// All nodes and layers by their shapes, unless one is of shapes that the others do not have as often.
fn groups<'a, 'b>(nodes: &[&'a Node], layers: &[FileLayer<'b>]) -> Option<Vec<Group<'a, 'b>>> {
    let mut groups: BTreeMap<Signature, Group> = BTreeMap::new();
    for node in nodes {
        groups.entry(signature_of(node)).or_default().0.push(node);
    }
    for layer in layers {
        groups.entry(layer.signature()).or_default().1.push(layer.clone());
    }
    groups.values().all(|(nodes, layers)| nodes.len() == layers.len()).then(|| groups.into_values().collect())
}

/// Which of the file's layers is which node: by name where all of a group have the network's, or else by number.
fn matched<'a, 'b>(groups: Vec<Group<'a, 'b>>) -> Result<Vec<(&'a Node, FileLayer<'b>)>, FormatError> {
    let mut matched = Vec::new();
    for (nodes, mut layers) in groups {
        let place =
            |layer: &FileLayer| nodes.iter().position(|node| layer.level == 0 && layer.name == node.name);
        let pattern = layers[0].pattern().0;
        if layers.iter().all(|layer| place(layer).is_some()) {
            layers.sort_by_key(place);
        } else if layers.iter().all(|layer| layer.pattern().0 == pattern) {
            sort_by_number(&mut layers);
        } else {
            return Err(FormatError::Ambiguous {
                layers: nodes.iter().map(|node| node.name.clone()).collect(),
                candidates: layers.iter().map(FileLayer::shown).collect(),
            });
        }
        matched.extend(nodes.into_iter().zip(layers));
    }
    Ok(matched)
}

/// The layers of an `nn.Sequential`, whose names begin with numbers, in their order although their shapes do not fit, so
/// that the first that does not can be named.
fn by_number<'a, 'b>(
    nodes: &[&'a Node],
    layers: &mut Vec<FileLayer<'b>>,
) -> Result<Vec<(&'a Node, FileLayer<'b>)>, FormatError> {
    let numbered = |layer: &FileLayer| layer.name.starts_with(|letter: char| letter.is_ascii_digit());
    if !layers.iter().all(numbered) {
        return Err(FormatError::Unmatched {
            layers: nodes.iter().map(|node| described(&node.name, &signature_of(node))).collect(),
            candidates: layers.iter().map(FileLayer::described).collect(),
        });
    }
    sort_by_number(layers);
    let count = nodes.len().min(layers.len());
    Ok(nodes.iter().copied().zip(layers.drain(..count)).collect())
}

fn sort_by_number(layers: &mut [FileLayer]) {
    layers.sort_by_cached_key(|layer| (layer.pattern().1, layer.name.clone()));
}
