"""Every operation by name. To add one: a module with `operations(place)`, and its line here."""

import archive
import check
import control_files
import datasets
import moving
import fields
import fingerprint
import rows
import site_check
import swapping
import vectors
import versions
from place import Place


def operations(setting):
    place = Place(setting["root"], setting.get("s3"))
    found = {}
    for module in (control_files, datasets, rows, fingerprint, check, fields, moving, archive, site_check, swapping, vectors, versions):
        found.update(module.operations(place))
    return found
