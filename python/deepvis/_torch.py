"""Networks of PyTorch."""

import contextlib
import importlib.util
import inspect
import os
import tempfile
import warnings


def from_torch(module, example, **settings):
    """Loads a PyTorch module by way of a temporary ONNX file, which is there as long as the model.

    ``module`` is a ``torch.nn.Module``, ``example`` a tensor that it takes, batch x channels x rows x columns, whose size is
    that of images; ``settings`` are those of :func:`deepvis.load`, of which ``preprocess`` says how the module takes images.
    Layers have the module's own names, as "layer4" or "layer4.2.conv3". The module is exported in evaluation mode, and left
    in the mode it was in. PyTorch is asked for only here; its newer exporter, which needs ``onnxscript``, is tried where the
    older one fails.
    """
    import torch

    from . import _load_net
    from ._deepvis import ModelError, SettingError

    if not isinstance(module, torch.nn.Module):
        raise TypeError("from_torch takes a torch.nn.Module, not %s" % type(module).__name__)
    if getattr(example, "ndim", None) != 4:
        shape = list(getattr(example, "shape", ()))
        raise SettingError("example of shape %s: a batch of images is, batch x channels x rows x columns" % shape)
    folder = tempfile.TemporaryDirectory(prefix="deepvis-")
    path = os.path.join(folder.name, "net.onnx")
    # Modules may be in different modes, as frozen normalizations are.
    modes = [(part, part.training) for part in module.modules()]
    failures = []
    try:
        module.eval()
        for export in _exporters(torch):
            try:
                with torch.no_grad(), _plain_attention(torch), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    export(module, example, path)
                break
            except Exception as failure:  # Whatever a module of others does.
                failures.append(failure)
        else:
            words = type(module).__name__, type(failures[0]).__name__, failures[0]
            raise ModelError("PyTorch cannot export %s: %s: %s" % words) from failures[0]
    finally:
        for part, mode in modes:
            part.training = mode
    return _load_net(path, name=type(module).__name__, keep=folder, **settings)


@contextlib.contextmanager
def _plain_attention(torch):
    """Attention by operations that exporters know, not by the one that PyTorch has for inference."""
    mha = getattr(torch.backends, "mha", None)
    if mha is None:
        yield
        return
    before = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        mha.set_fastpath_enabled(before)


def _exporters(torch):
    """Functions of module, example and path, the best first."""
    export = torch.onnx.export
    has_both = "dynamo" in inspect.signature(export).parameters

    def by_torchscript(module, example, path):
        axes = {"input": {0: "batch"}}
        # "Preserve" leaves batch normalizations apart from convolutions, so that either can be asked for.
        training = torch.onnx.TrainingMode.PRESERVE
        which = {"dynamo": False} if has_both else {}
        export(module, (example,), path, input_names=["input"], dynamic_axes=axes, training=training, **which)

    def by_torch_export(module, example, path):
        # An extent of 1 would be written into the network.
        batch = example if example.shape[0] > 1 else torch.cat([example, example])
        shapes = ({0: torch.export.Dim("batch")},)
        export(
            module, (batch,), path, dynamo=True, dynamic_shapes=shapes, external_data=False, verbose=False, optimize=False
        )

    # Three times as fast, and as exact (8 networks of torchvision, PyTorch 2.15).
    yield by_torchscript
    if has_both and importlib.util.find_spec("onnxscript"):
        yield by_torch_export
