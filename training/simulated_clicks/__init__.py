"""Clicks that are made up while a network learns, as the papers made them.

``ifcn`` the three strategies that iFCN began with, in the constants of ITIS and of LD;
``medoids`` BRS's; ``lagged`` ITIS's, one more click an epoch. In-batch clicks on a
network's newest errors are ``training.engine``'s, robots ``training.robots``.
"""
