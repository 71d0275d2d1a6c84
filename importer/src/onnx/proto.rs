//! The ONNX messages, generated from `proto/onnx.proto`.

#![allow(missing_docs, clippy::doc_markdown)]

include!(concat!(env!("OUT_DIR"), "/onnx.rs"));
