"""The studies, those of other rooms too: ``kakure study`` lists them."""

from kakure.hdl.commands.verbs import STUDIES as HDL
from kakure.model.commands.verb import Index, Verb

__all__ = ["STUDY"]

GOES_ON = "interrupted; what is finished is kept, the same command goes on"

SEARCH = (
    Verb(
        "phase1-comparison",
        "Search",
        "exact search, two gradient searches and random sampling on one space",
        "kakure.search.studies.phase1_comparison",
    ),
    Verb(
        "headline",
        "Search",
        "XPert's searched network against homogeneous VGG16, in the analog model",
        "kakure.search.studies.headline",
    ),
    Verb(
        "phase2-comparison",
        "Search",
        "uniform, greedy, sampled and guided choice of AP and IP, on one network",
        "kakure.search.studies.phase2_comparison",
        interrupted=GOES_ON,
    ),
    Verb(
        "bound",
        "Search",
        "searches with many seeds: how often the loss on test images is too large",
        "kakure.search.studies.bound_study",
        interrupted=GOES_ON,
    ),
    Verb(
        "hidden-training",
        "Training",
        "methods that find a supermask, and their rivals, at equal seeds and budget",
        "kakure.search.studies.hidden_training",
        interrupted=GOES_ON,
    ),
    Verb(
        "progressive",
        "Training",
        "bitwise weights at each of 1 to N bits: cut, BatchNorm anew, trained jointly",
        "kakure.search.studies.progressive",
        interrupted=GOES_ON,
    ),
    Verb(
        "mixture",
        "Training",
        "signs made on chip with stored magnitudes, beside hidden and bitwise weights",
        "kakure.search.studies.mixture",
        interrupted=GOES_ON,
    ),
    Verb(
        "layer-planes",
        "Search",
        "planes of each layer of a trained network, the least work at a bound on the loss",
        "kakure.search.studies.layer_planes",
    ),
    Verb(
        "lam",
        "Training",
        "LAM against exact products: errors, hardware, accuracy of networks trained with it",
        "kakure.search.studies.lam",
    ),
    Verb(
        "distillation",
        "Training",
        "SVMs, trees and linear models that a trained network teaches, beside labels",
        "kakure.search.studies.distillation",
        interrupted=GOES_ON,
    ),
    Verb(
        "student",
        "Training",
        "a linear student of a trained network, and itself as a network in hardware",
        "kakure.search.studies.student",
    ),
    Verb(
        "data-reduction",
        "Training",
        "training with support vectors, beside other choices of as many images",
        "kakure.search.studies.data_reduction",
        interrupted=GOES_ON,
    ),
    Verb(
        "augmentation",
        "Training",
        "training with generated images, beside varied and more real ones",
        "kakure.search.studies.augmentation",
        interrupted=GOES_ON,
    ),
    Verb(
        "energy",
        "Cost models",
        "measure energy per image by simulation of real images, or fit its model",
        "kakure.search.cost.digital.energy",
        interrupted="stopped; the same command goes on from here",
    ),
    Verb(
        "precision-energy",
        "Cost models",
        "energy per image of bitwise weights at each number of planes, by simulation",
        "kakure.search.studies.precision_energy",
        interrupted=GOES_ON,
    ),
    Verb(
        "array-shape",
        "Cost models",
        "cycles, area and energy of one network on temporal arrays of many shapes",
        "kakure.search.studies.array_shape",
        interrupted=GOES_ON,
    ),
    Verb(
        "zero-planes",
        "Cost models",
        "planes of zeros among the work of temporal arrays, on real images",
        "kakure.search.studies.zero_planes",
    ),
    Verb(
        "cells",
        "Cost models",
        "cells of crossbar tiles as registers and as memories: area, period, energy",
        "kakure.search.studies.cells",
    ),
    Verb(
        "dot-product",
        "Cost models",
        "look-up tables of a dot product of bits, beside BISMO's unit",
        "kakure.search.studies.dot_product",
    ),
    Verb(
        "hidden-hardware",
        "Cost models",
        "hidden weights beside others, their generators, and both accelerators, in hardware",
        "kakure.search.studies.hidden_hardware",
    ),
    Verb(
        "analog-fit",
        "Cost models",
        "fit the analog model to its sweep",
        "kakure.search.cost.analog.fit",
    ),
    Verb(
        "analog-speed",
        "Cost models",
        "layer evaluations a second of the analog model",
        "kakure.search.studies.analog_speed",
    ),
    Verb(
        "digital-speed",
        "Cost models",
        "layer evaluations a second of the digital model",
        "kakure.search.studies.digital_speed",
    ),
    Verb(
        "fingerprint",
        "Sources",
        "digests of all that follows from configurations, to compare commits",
        "kakure.search.studies.fingerprint",
    ),
)

STUDY = Index(
    "study",
    "Evidence",
    "repeat a comparison, a measurement or a fit of the documents",
    ("Search", "Training", "Cost models", "Sources"),
    (*SEARCH, *HDL),
)
