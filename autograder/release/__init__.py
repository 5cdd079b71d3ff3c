"""Makes what students get from the source with solutions, and proves it before it is there.

strip       the one engine that takes solutions and mark schemes out of modules and notebooks
parts       leaves out of the modules what belongs to parts that are not released
notebooks   the same for notebooks; writes points, locks and checksums
tidy        puts right what JupyterLab writes into a notebook of the source
wording     chooses the words of a text by what is released with it
package     puts zip, course tree and marking guide together
references  looks for references that lead nowhere
leaks       looks for anything of a solution in what is about to be released
tells       looks for a text that tells what another question asks
proof       what must hold before a release is finished
"""

from __future__ import annotations


class ReleaseError(ValueError):
    """No release can be made; the message names the file or cell and says what to do."""
