# Images and foreign systems: docker/README.md.
.PHONY: docker docker-image docker-archive docker-compile docker-bootstrap
docker:
	@echo 'make docker-image      the image that registers calque (IMAGE, default calque)'
	@echo 'make docker-archive    the same without an engine: $(builddir)/calque-image.tar'
	@echo 'make docker-compile    the same, compiled in a container'
	@echo 'make docker-bootstrap  a foreign Debian in a folder or an image'
	@echo '                       (DEB_ARCH, default arm64; DEB_TYPE, default bookworm)'
	@echo 'docker/bootstrap, docker/update and docker/enter do more; docker/README.md tells.'

IMAGE = calque
DEB_ARCH = arm64
DEB_TYPE = bookworm
docker-image: calque calque-binfmt
	$(srcdir)/%D%/build --tag $(IMAGE) .
docker-archive: calque calque-binfmt
	$(srcdir)/%D%/build --tag $(IMAGE) --output calque-image.tar .
docker-compile:
	. $(srcdir)/%D%/engine.sh && find_engine && \
	  $$engine build -t $(IMAGE) -f $(srcdir)/%D%/Dockerfile.compile $(srcdir)
docker-bootstrap: calque calque-binfmt
	$(srcdir)/%D%/bootstrap $(DEB_ARCH) $(DEB_TYPE) ./calque

CLEANFILES += calque-image.tar
EXTRA_DIST += %D%/README.md %D%/build %D%/bootstrap %D%/update %D%/enter %D%/engine.sh \
	%D%/Dockerfile %D%/Dockerfile.compile %D%/Dockerfile.bootstrap
