//! Files with a digest of their content: whatever is changed in one shows.

use base16ct::lower::encode_string as hexadecimal;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        DeserializeOwned, DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor,
        value::MapAccessDeserializer,
    },
};
use sha2::{Digest, Sha256};
use std::{fmt, marker::PhantomData};

/// The field that holds it, beside those of the content.
const FIELD: &str = "digest";

/// What is kept in a file with its digest. A field `schema` says which layout it has.
pub(crate) trait Sealable: Serialize + DeserializeOwned {
    /// What it is called in messages.
    const NAME: &'static str;
    /// The version of its layout: a file of another one is not read.
    const LAYOUT: u32;
    /// A longer file is none.
    const MAXIMUM_BYTES: u64;

    /// SHA-256 of the content, in hexadecimal.
    fn digest(&self) -> String {
        digest_of(self)
    }

    /// Whether `stated` is a digest of this content, read from a file of these bytes.
    ///
    /// # Errors
    /// When it is not: the digest that the content has.
    fn confirm(&self, stated: &str, _file: &[u8]) -> Result<(), String> {
        compare(stated, &self.digest())
    }
}

/// The text of a file that holds it.
pub(crate) fn text<T: Sealable>(content: &T) -> String {
    String::from_utf8(bytes(content)).expect("JSON is text")
}

/// The same as bytes.
pub(crate) fn bytes<T: Sealable>(content: &T) -> Vec<u8> {
    seal(content, &content.digest())
}

/// What [`bytes`] made; else what is wrong with it. `check` says what the content must be beside whole, of this layout and
/// unchanged; it comes before the digest, which impossible figures would make expensive.
///
/// # Errors
/// What is wrong.
pub(crate) fn open<T: Sealable>(
    bytes: &[u8],
    check: impl FnOnce(&T) -> Result<(), String>,
) -> Result<T, String> {
    if bytes.len() as u64 > T::MAXIMUM_BYTES {
        return Err(format!("{} bytes at most expected, {} found", T::MAXIMUM_BYTES, bytes.len()));
    }
    let Unsealed { content, digest } = unseal::<T>(bytes, T::NAME, T::LAYOUT)?;
    check(&content)?;
    content.confirm(&digest, bytes)?;
    Ok(content)
}

/// The text of a file: the content's fields and its digest, as JSON for people to read.
fn seal(content: &impl Serialize, digest: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Sealed<'a, T> {
        #[serde(flatten)]
        content: &'a T,
        digest: &'a str,
    }
    let mut bytes =
        serde_json::to_vec_pretty(&Sealed { content, digest }).expect("the content has only plain values");
    bytes.push(b'\n');
    bytes
}

/// What [`seal`] wrote, its digest not yet compared.
struct Unsealed<T> {
    /// The content.
    content: T,
    /// The digest that the file states.
    digest: String,
}

/// Reads what [`seal`] wrote, if it is of the layout `schema`. Nothing that the content has no field for is kept in memory.
fn unseal<T: DeserializeOwned>(bytes: &[u8], what: &str, schema: u32) -> Result<Unsealed<T>, String> {
    /// Read by itself and first: the fields of another layout may be others.
    #[derive(Deserialize)]
    struct Head {
        schema: Option<u64>,
    }
    let damaged = |error: serde_json::Error| format!("damaged: {error}");
    let found = serde_json::from_slice::<Head>(bytes).map_err(damaged)?.schema;
    if found != Some(u64::from(schema)) {
        let found = found.map_or_else(|| "none".into(), |schema| schema.to_string());
        return Err(format!("{what} layout {schema} expected, {found} found"));
    }
    serde_json::from_slice(bytes).map_err(damaged)
}

/// SHA-256 of a value as JSON without white space, in hexadecimal.
pub(crate) fn digest_of(content: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(content).expect("the content has only plain values");
    hexadecimal(&Sha256::digest(&bytes))
}

/// Whether the content is that of the digest; else what is wrong, with the digest that it has.
pub(crate) fn compare(stated: &str, found: &str) -> Result<(), String> {
    match stated == found {
        true => Ok(()),
        false => Err(format!("changed since it was written: its content has the digest {found}")),
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unsealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Unsealed<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object with a digest")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let mut digest = None;
        let content = T::deserialize(MapAccessDeserializer::new(Content { map, digest: &mut digest }))?;
        Ok(Unsealed { content, digest: digest.ok_or_else(|| A::Error::missing_field(FIELD))? })
    }
}

/// The fields of an object but for the digest, which is taken aside on the way.
struct Content<'a, A> {
    map: A,
    digest: &'a mut Option<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Content<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            if key != FIELD {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            if self.digest.replace(self.map.next_value()?).is_some() {
                return Err(A::Error::duplicate_field(FIELD));
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Plain {
        schema: u32,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<f64>,
    }

    impl Sealable for Plain {
        const NAME: &'static str = "plain";
        const LAYOUT: u32 = 2;
        const MAXIMUM_BYTES: u64 = 1000;
    }

    fn read(text: &str) -> Result<Plain, String> {
        open(text.as_bytes(), |_| Ok(()))
    }

    #[test]
    fn what_was_sealed_is_read_and_what_was_changed_is_not() {
        let content = Plain { schema: 2, text: "a \"b\"".into(), more: Some(0.1) };
        let text = String::from_utf8(seal(&content, &digest_of(&content))).expect("text");
        assert_eq!(read(&text), Ok(content));
        for (from, to, expected) in [
            ("0.1", "0.2", "changed since it was written"),
            ("\"schema\": 2", "\"schema\": 3", "plain layout 2 expected, 3 found"),
            ("\"schema\": 2", "\"scheme\": 2", "plain layout 2 expected, none found"),
            ("\"text\"", "\"test\"", "damaged: unknown field `test`"),
            ("\"digest\": \"", "\"digest\": \"0", "changed since it was written"),
            ("\"digest\"", "\"digests\"", "damaged: unknown field `digests`"),
            ("{", "{\"digest\": \"\",", "damaged: duplicate field `digest`"),
            ("}", "", "damaged: EOF"),
        ] {
            let problem = read(&text.replacen(from, to, 1)).expect_err("changed");
            assert!(problem.contains(expected), "{from} → {to}: {problem}");
        }
    }
}
