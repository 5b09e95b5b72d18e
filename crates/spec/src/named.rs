//! A choice with constants, written as its name alone or as a table.

use serde::de::{
    Deserialize, Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer,
    value::MapDeserializer,
};
use std::{fmt, marker::PhantomData};

/// Reads `"cosine"` as `{ kind = "cosine" }`, and a table as it is, for types whose tag is `kind`.
///
/// # Errors
/// When it is neither, or the type does not know the name or a constant.
pub(crate) fn name_or_table<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    struct NameOrTable<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for NameOrTable<T> {
        type Value = T;
        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("a name, or a table with `kind` and constants")
        }
        fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
            T::deserialize(MapDeserializer::new([("kind", name)].into_iter()))
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_any(NameOrTable(PhantomData))
}
