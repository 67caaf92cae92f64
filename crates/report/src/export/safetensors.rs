//! The model's tensors with what they mean in the header, so that the one file is enough to use them.

use std::collections::HashMap;
use std::path::Path;

use gradsweep_store::Model;
use safetensors::tensor::{Dtype, SafeTensorError, TensorView};

use super::error::ExportError;
use super::model::numbers;

/// The bytes of the file: `coefficients` (1, features) and `intercept` (1) of preprocessed features; `mean`, `scale` and `impute`
/// of the numeric columns. The header holds, as JSON, `model`, the whole of `model.json` but its seal, and the lists most wanted
/// besides: `features`, `numeric_columns`, `classes` and `target`; all of it under the one key `gradsweep`.
pub(super) fn encode(model: &Model, path: &Path) -> Result<Vec<u8>, ExportError> {
    let own = &model.numbers;
    let numeric = vec![own.impute.len()];
    let tensors = [
        (
            "coefficients",
            vec![1, own.coefficients.len()],
            own.coefficients.as_slice(),
        ),
        ("intercept", vec![1], std::slice::from_ref(&own.intercept)),
        ("impute", numeric.clone(), &own.impute),
        ("mean", numeric.clone(), &own.mean),
        ("scale", numeric, &own.scale),
    ];
    let fail = |source: SafeTensorError| ExportError::Encode {
        path: path.to_path_buf(),
        source,
    };
    let data = tensors.map(|(name, shape, values)| {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        (name, shape, bytes)
    });
    let views = data
        .iter()
        .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F64, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()
        .map_err(fail)?;
    let target = &model.info.target;
    let columns: Vec<&str> = numbers(model).iter().map(|number| number.name).collect();
    let json = |value: serde_json::Result<String>| value.unwrap_or_default();
    // One entry: the order of several would be another in every process.
    let meaning = serde_json::json!({
        "features": model.info.features,
        "numeric_columns": columns,
        "classes": [target.negative, target.positive],
        "target": target.name,
        "model": model.info,
    });
    let header = HashMap::from([("gradsweep".to_owned(), json(serde_json::to_string(&meaning)))]);
    safetensors::serialize(views, Some(header)).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::super::model::sample;
    use super::*;
    use safetensors::SafeTensors;

    #[test]
    fn one_file_holds_numbers_and_names() {
        let bytes = encode(&sample(), Path::new("model.safetensors")).expect("encodable");
        let file = SafeTensors::deserialize(&bytes).expect("readable");
        assert_eq!(file.tensor("coefficients").expect("there").shape(), [1, 7]);
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("readable");
        let header = header
            .metadata()
            .as_ref()
            .expect("there")
            .get("gradsweep")
            .expect("there")
            .clone();
        let meaning: serde_json::Value = serde_json::from_str(&header).expect("JSON");
        assert_eq!(meaning["features"][6], "month=1");
        assert_eq!(meaning["numeric_columns"], serde_json::json!(["hour", "day"]));
        assert_eq!(meaning["model"]["trial"], 3);
    }
}
