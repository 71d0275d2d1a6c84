//! Well-known networks: where their files are, and how they are used.
//!
//! The first three are those of the original's model folders. Checksums are those that the publishers state (the front
//! matter of Caffe's model folders); where none is stated there is none here. The prototxts are ours, written from the
//! published architectures with the layer names of the published weights.

/// A file to download.
#[derive(Debug, Clone, Copy)]
pub struct Remote {
    /// Its public address.
    pub url: &'static str,
    /// SHA-1, where the publisher states one.
    pub sha1: Option<&'static str>,
    /// What it holds.
    pub kind: Kind,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A caffemodel.
    Weights,
    /// A mean image as `.npy`.
    Mean,
    /// The names of the classes.
    Labels,
}

/// A network.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What users call it.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its prototxt.
    pub deploy: &'static str,
    /// Its weights.
    pub weights: Remote,
    /// The mean: a file, or a literal.
    pub mean: Mean,
    /// The layer to push, and the layers that the labels name.
    pub push_layer: &'static str,
    /// Layers whose units the labels name.
    pub label_layers: &'static [&'static str],
}

/// A mean.
#[derive(Debug, Clone, Copy)]
pub enum Mean {
    /// One value per channel.
    Values(&'static str),
    /// An image.
    Image(Remote),
}

/// The names of the 1000 ImageNet classes, as the original has them.
pub const LABELS: Remote = Remote {
    url: "https://raw.githubusercontent.com/yosinski/deep-visualization-toolbox/master/models/caffenet-yos/ilsvrc_2012_labels.txt",
    sha1: None,
    kind: Kind::Labels,
};

const CAFFE_MEAN: Remote = Remote {
    url: "https://raw.githubusercontent.com/BVLC/caffe/master/python/caffe/imagenet/ilsvrc_2012_mean.npy",
    sha1: None,
    kind: Kind::Mean,
};

const IMAGENET_MEAN: Mean = Mean::Values("(104,117,123)");

const ENTRIES: &[Entry] = &[
    Entry {
        name: "caffenet-yos",
        about: "CaffeNet as trained for the paper (Yosinski et al. 2015), 233 MB",
        deploy: include_str!("../../models/deploy/caffenet.prototxt"),
        weights: Remote {
            url: "http://c.yosinski.com/caffenet-yos-weights",
            sha1: None,
            kind: Kind::Weights,
        },
        mean: Mean::Image(Remote {
            url: "http://c.yosinski.com/ilsvrc_2012_mean.npy",
            sha1: None,
            kind: Kind::Mean,
        }),
        push_layer: "fc8",
        label_layers: &["fc8", "prob"],
    },
    Entry {
        name: "bvlc-googlenet",
        about: "GoogLeNet (Szegedy et al. 2014) by the Berkeley Vision and Learning Center, 53 MB",
        deploy: include_str!("../../models/deploy/googlenet.prototxt"),
        weights: Remote {
            url: "http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel",
            sha1: Some("405fc5acd08a3bb12de8ee5e23a96bec22f08204"),
            kind: Kind::Weights,
        },
        mean: IMAGENET_MEAN,
        push_layer: "loss3/classifier",
        label_layers: &["loss3/classifier", "prob"],
    },
    Entry {
        name: "squeezenet",
        about: "SqueezeNet v1.0 (Iandola et al. 2016), 5 MB",
        deploy: include_str!("../../models/deploy/squeezenet_v1.0.prototxt"),
        weights: Remote {
            url: "https://github.com/forresti/SqueezeNet/raw/master/SqueezeNet_v1.0/squeezenet_v1.0.caffemodel",
            sha1: None,
            kind: Kind::Weights,
        },
        mean: IMAGENET_MEAN,
        push_layer: "pool10",
        label_layers: &["conv10", "pool10", "prob"],
    },
    Entry {
        name: "squeezenet-v1.1",
        about: "SqueezeNet v1.1: as good, and 2.4 times faster, 5 MB",
        deploy: include_str!("../../models/deploy/squeezenet_v1.1.prototxt"),
        weights: Remote {
            url: "https://github.com/forresti/SqueezeNet/raw/master/SqueezeNet_v1.1/squeezenet_v1.1.caffemodel",
            sha1: None,
            kind: Kind::Weights,
        },
        mean: IMAGENET_MEAN,
        push_layer: "pool10",
        label_layers: &["conv10", "pool10", "prob"],
    },
    Entry {
        name: "bvlc-caffenet",
        about: "CaffeNet (Jia et al. 2014) by the Berkeley Vision and Learning Center, 233 MB",
        deploy: include_str!("../../models/deploy/caffenet.prototxt"),
        weights: Remote {
            url: "http://dl.caffe.berkeleyvision.org/bvlc_reference_caffenet.caffemodel",
            sha1: Some("4c8d77deb20ea792f84eb5e6d0a11ca0a8660a46"),
            kind: Kind::Weights,
        },
        mean: Mean::Image(CAFFE_MEAN),
        push_layer: "fc8",
        label_layers: &["fc8", "prob"],
    },
    Entry {
        name: "bvlc-alexnet",
        about: "AlexNet (Krizhevsky et al. 2012) by the Berkeley Vision and Learning Center, 233 MB",
        deploy: include_str!("../../models/deploy/alexnet.prototxt"),
        weights: Remote {
            url: "http://dl.caffe.berkeleyvision.org/bvlc_alexnet.caffemodel",
            sha1: Some("9116a64c0fbe4459d18f4bb6b56d647b63920377"),
            kind: Kind::Weights,
        },
        mean: Mean::Image(CAFFE_MEAN),
        push_layer: "fc8",
        label_layers: &["fc8", "prob"],
    },
];

/// All networks.
pub fn entries() -> &'static [Entry] {
    ENTRIES
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name)
}

impl Remote {
    /// The file's name, the last part of its address.
    pub fn file_name(&self) -> &'static str {
        self.url.rsplit('/').next().unwrap_or(self.url)
    }
}

impl Entry {
    /// The files to download.
    pub fn remotes(&self) -> Vec<Remote> {
        let mean = match self.mean {
            Mean::Image(remote) => Some(remote),
            Mean::Values(_) => None,
        };
        [self.weights].into_iter().chain(mean).chain([LABELS]).collect()
    }

    /// The folder's deepvis.toml.
    pub fn settings(&self) -> String {
        let mean = match self.mean {
            Mean::Image(remote) => remote.file_name(),
            Mean::Values(values) => values,
        };
        format!(
            "# {}\ndeploy_proto = \"deploy.prototxt\"\nnet_weights = \"{}\"\nmean = \"{mean}\"\nlabels = \"{}\"\n\
             label_layers = {:?}\npush_layer = \"{}\"\npush_channel = 130\n",
            self.about,
            self.weights.file_name(),
            LABELS.file_name(),
            self.label_layers,
            self.push_layer,
        )
    }
}
