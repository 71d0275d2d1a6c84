//! The Caffe messages, generated from `proto/caffe.proto`, and their descriptors.

#![allow(missing_docs, clippy::doc_markdown)]

include!(concat!(env!("OUT_DIR"), "/caffe.rs"));

/// The encoded `FileDescriptorSet` of `caffe.proto`: what the text reader looks field names up in.
pub(crate) const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/caffe_descriptors.bin"));
