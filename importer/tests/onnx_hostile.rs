//! ONNX files of a few bytes that ask for very much, and constants that contradict themselves: read at once, in little memory, and
//! what is wrong is said of the node.

use std::time::{Duration, Instant};

use deepvis_importer::{Import, LayerKind};

/// A field of protobuf's wire format: bytes.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [&varint(number << 3 | 2), &varint(bytes.len() as u64), bytes].concat()
}

fn number(number: u64, value: i64) -> Vec<u8> {
    [varint(number << 3), varint(value.cast_unsigned())].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// NodeProto: inputs, outputs, operator, attributes of whole numbers.
fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, &[i64])]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|input| field(1, input.as_bytes()));
    let outputs = outputs.iter().flat_map(|output| field(2, output.as_bytes()));
    let attributes = attributes.iter().flat_map(|(name, values)| {
        let values = values.iter().flat_map(|value| number(8, *value));
        field(
            5,
            &field(1, name.as_bytes()).into_iter().chain(values).collect::<Vec<u8>>(),
        )
    });
    let mut bytes: Vec<u8> = inputs.chain(outputs).chain(attributes).collect();
    bytes.extend(field(4, op.as_bytes()));
    bytes
}

/// An attribute of one whole number, for the end of a node.
fn single(name: &str, value: i64) -> Vec<u8> {
    field(5, &[field(1, name.as_bytes()), number(3, value)].concat())
}

/// TensorProto of whole numbers.
fn ints(name: &str, dims: &[i64], values: &[i64]) -> Vec<u8> {
    let dims = dims.iter().flat_map(|dim| number(1, *dim));
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut bytes: Vec<u8> = dims.collect();
    bytes.extend(number(2, 7));
    bytes.extend(field(8, name.as_bytes()));
    bytes.extend(field(9, &raw));
    bytes
}

/// A network of an image `x` of 1 x 3 x 8 x 8, with these nodes, constants and functions.
fn model(nodes: &[Vec<u8>], constants: &[Vec<u8>], functions: &[Vec<u8>]) -> Vec<u8> {
    let dims = [1, 3, 8, 8].iter().flat_map(|dim| field(1, &number(1, *dim)));
    let tensor = [number(1, 1), field(2, &dims.collect::<Vec<u8>>())].concat();
    let input = [field(1, b"x"), field(2, &field(1, &tensor))].concat();
    let mut graph: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    graph.extend(constants.iter().flat_map(|tensor| field(5, tensor)));
    graph.extend(field(11, &input));
    let mut bytes = field(7, &graph);
    bytes.extend(field(8, &[field(1, b""), number(2, 17)].concat()));
    bytes.extend(functions.iter().flat_map(|function| field(25, function)));
    bytes
}

fn open(bytes: &[u8]) -> deepvis_importer::Result<Import> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.onnx");
    std::fs::write(&path, bytes).unwrap();
    let begun = Instant::now();
    let opened = deepvis_importer::open(&path, None);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        begun.elapsed()
    );
    opened
}

/// Why the last node is not computed.
#[track_caller]
fn reason(nodes: &[Vec<u8>], constants: &[Vec<u8>]) -> String {
    let import = open(&model(nodes, constants, &[])).unwrap();
    match import.graph.layers.last().map(|layer| &layer.kind) {
        Some(LayerKind::Unsupported { reason: Some(reason) }) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(nodes: &[Vec<u8>], constants: &[Vec<u8>], expected: &str) {
    let reason = reason(nodes, constants);
    assert!(reason.contains(expected), "{reason}");
}

const PROPORTION: &str = "out of all proportion";

#[test]
fn constants_out_of_all_proportion_are_not_made() {
    let shape = |entries: i64| ints("s", &[1], &[entries]);
    let one = node("ConstantOfShape", &["s"], &["y"], &[]);
    refused(&[one], &[shape(1 << 28)], PROPORTION);
    // Each by itself is small.
    let many: Vec<Vec<u8>> = (0..100)
        .map(|i| node("ConstantOfShape", &["s"], &[&format!("y{i}")], &[]))
        .collect();
    refused(&many, &[shape(1 << 20)], PROPORTION);
    // The same one, looked at again and again.
    let mut again = vec![node("ConstantOfShape", &["s"], &["y"], &[])];
    again.extend((0..100_000).map(|i| node("ReduceSum", &["y"], &[&format!("z{i}")], &[])));
    refused(&again, &[shape(1 << 20)], PROPORTION);
    let range = node("Range", &["a", "b", "c"], &["y"], &[]);
    let constants = [ints("a", &[], &[0]), ints("b", &[], &[1 << 30]), ints("c", &[], &[1])];
    refused(&[range], &constants, PROPORTION);
}

#[test]
fn what_picks_entries_of_an_image_stays_in_proportion() {
    let expand = node("Expand", &["x", "s"], &["e"], &[]);
    let large = ints("s", &[5], &[1 << 30, 1, 3, 8, 8]);
    let split = node("Split", &["e"], &["a", "b"], &[]);
    refused(&[expand.clone(), split], std::slice::from_ref(&large), PROPORTION);
    let bounds = [ints("b", &[1], &[0]), ints("c", &[1], &[1 << 29])];
    let slice = node("Slice", &["e", "b", "c"], &["y"], &[]);
    refused(&[expand, slice], &[&[large], &bounds[..]].concat(), PROPORTION);
    // Windows laid out side by side, padded by more than they reach over.
    let pool = node(
        "MaxPool",
        &["x"],
        &["y"],
        &[("kernel_shape", &[4096, 4096]), ("pads", &[1 << 24; 4])],
    );
    refused(&[pool], &[], PROPORTION);
    let resize = |from: &str, to: &str, sizes: &str| {
        let linear = field(5, &[field(1, b"mode"), field(4, b"linear")].concat());
        [node("Resize", &[from, "", "", sizes], &[to], &[]), linear].concat()
    };
    let sizes = [
        ints("s", &[4], &[1, 3, 1 << 14, 1 << 14]),
        ints("t", &[4], &[1, 3, 1 << 13, 1 << 13]),
    ];
    refused(&[resize("x", "y", "s"), resize("y", "z", "t")], &sizes, PROPORTION);
}

#[test]
fn settings_that_contradict_themselves_are_said() {
    // An axis given twice.
    let slice = node("Slice", &["x", "b", "c", "a"], &["y"], &[]);
    let twice = [
        ints("b", &[2], &[4, 4]),
        ints("c", &[2], &[8, 8]),
        ints("a", &[2], &[2, 2]),
    ];
    refused(std::slice::from_ref(&slice), &twice, "axis 2 is given twice");
    let constant = node("Slice", &["k", "b", "c", "a"], &["y"], &[]);
    let of_constant = [
        ints("k", &[5], &[1, 2, 3, 4, 5]),
        ints("b", &[2], &[4, 4]),
        ints("c", &[2], &[5, 5]),
        ints("a", &[2], &[0, 0]),
    ];
    refused(&[constant], &of_constant, "axis 0 is given twice");
    // Sizes whose sum is right when it runs over.
    let split = [node("Split", &["x", "p"], &["a", "b", "c"], &[]), single("axis", 1)].concat();
    let parts = ints("p", &[3], &[i64::MAX, i64::MAX, 3]);
    refused(&[split], &[parts], "parts");
    // More parts than can be counted.
    let split = [node("Split", &["x"], &["y"], &[]), single("num_outputs", i64::MAX)].concat();
    assert!(open(&model(&[split], &[], &[])).is_ok());
    // No matrices.
    let flat = node("Reshape", &["x", "s"], &["f"], &[]);
    let gemm = [node("Gemm", &["f", "f"], &["y"], &[]), single("transA", 1)].concat();
    refused(&[flat, gemm], &[ints("s", &[1], &[-1])], "matrices");
    // Indices of no entries for a shape of some.
    let gather = node("GatherND", &["k", "i"], &["y"], &[]);
    let constants = [ints("k", &[2], &[1, 2]), ints("i", &[3, 0], &[])];
    refused(&[gather], &constants, "entries for a value of shape");
    // As many axes as there are numbers in a file.
    let axes = ints("a", &[200_000], &(0..200_000).collect::<Vec<i64>>());
    refused(&[node("Unsqueeze", &["x", "a"], &["y"], &[])], &[axes], "axes");
    // Padding that takes off more than there is.
    let kernel = ints("w", &[3, 1, 1, 1], &[1, 1, 1]);
    let deconvolution = node(
        "ConvTranspose",
        &["x", "w"],
        &["y"],
        &[("pads", &[20, 20, 0, 0]), ("output_padding", &[30, 30])],
    );
    refused(&[deconvolution], &[kernel], "its padding takes all of its output off");
}

#[test]
fn functions_that_call_each_other_very_often_are_refused() {
    // Each calls the one before ten times; the first does nothing.
    let function = |i: usize| {
        let calls: Vec<u8> = (0..if i == 0 { 0 } else { 10 })
            .flat_map(|_| {
                let call = [node(&format!("f{}", i - 1), &[], &[], &[]), field(7, b"own")].concat();
                field(7, &call)
            })
            .collect();
        [field(1, format!("f{i}").as_bytes()), calls, field(10, b"own")].concat()
    };
    let functions: Vec<Vec<u8>> = (0..20).map(function).collect();
    let call = [node("f19", &[], &["y"], &[]), field(7, b"own")].concat();
    let error = open(&model(&[call], &[], &functions)).unwrap_err().to_string();
    assert!(error.contains("where they are called"), "{error}");
}

#[test]
fn names_out_of_all_proportion_are_refused() {
    for name in ["a/".repeat(3000), "/a".repeat(3000), "n".repeat(1 << 20)] {
        let relu = [node("Relu", &["x"], &["y"], &[]), field(3, name.as_bytes())].concat();
        let error = open(&model(&[relu], &[], &[])).unwrap_err().to_string();
        assert!(error.contains("a name of") && error.len() < 400, "{error}");
    }
    // Runs of path components are as many as the square of their number.
    let deep = "a/".repeat(2000);
    let relu = [node("Relu", &["x"], &["y"], &[]), field(3, deep.as_bytes())].concat();
    assert!(open(&model(&[relu], &[], &[])).unwrap().graph.targets.len() < 10);
}

/// Found by a fuzzer: field 2^29 + 9 of a tensor came to be its field 9, the numbers themselves.
#[test]
fn fields_that_the_format_does_not_have_are_refused() {
    let add = node("Add", &["x", "c"], &["y"], &[]);
    let with = |number_of: u64| {
        let constant = [number(1, 1), number(2, 1), field(8, b"c"), field(9, &[0; 4])].concat();
        let fields = [constant, field(number_of, &[0; 4])].concat();
        open(&model(std::slice::from_ref(&add), &[fields], &[]))
    };
    for number in [0, 1 << 29, (1 << 29) + 9] {
        let error = with(number).unwrap_err().to_string();
        assert!(error.contains("impossible field number"), "{number}: {error}");
    }
    // The last number that there is stands for a field of a later version.
    with((1 << 29) - 1).unwrap();
}

/// A number takes ten bytes at most, of which the last holds one bit: -1 has them all.
#[test]
fn numbers_are_as_long_as_the_format_allows() {
    let add = node("Add", &["x", "c"], &["y"], &[]);
    let with = |dims: &[u8]| {
        let tensor = [dims, &number(2, 1), &field(8, b"c"), &field(9, &[0; 4])].concat();
        open(&model(std::slice::from_ref(&add), &[tensor], &[]))
            .unwrap_err()
            .to_string()
    };
    let negative = with(&number(1, -1));
    assert!(negative.contains("a negative dimension"), "{negative}");
    let last = |last: &[u8]| [&varint(1 << 3)[..], &[0x81; 9], last].concat();
    for bytes in [last(&[2]), last(&[0x81, 0])] {
        let long = with(&bytes);
        assert!(long.contains("a number runs over ten bytes"), "{long}");
    }
}
