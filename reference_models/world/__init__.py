"""The rendered world: small scenes drawn from parametric shapes, with every mask known.

Modules, in the order in which a scene is made: ``statistics`` (which colour on which subject, how
often), ``scene`` (the layout of a batch), ``palette`` (a colour term becomes an sRGB value),
``sdf`` and ``canvas`` (how a shape is described and painted), ``food`` / ``animals`` /
``artefacts`` (the shapes), ``render`` (a batch of scenes becomes images and masks), ``captions``
(what a scene is called) and ``known`` (scenes whose verdict is decided beforehand).
"""
