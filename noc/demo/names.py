"""Names of simulated guards, by region and in the scripts people there write."""

from __future__ import annotations

import numpy as np

_Pool = tuple[tuple[str, ...], tuple[str, ...], bool]
"""Given names, family names, and whether the family name comes first."""


def _pool(given: str, family: str, *, family_first: bool = False) -> _Pool:
    return tuple(given.split()), tuple(family.split()), family_first


POOLS: dict[str, tuple[_Pool, ...]] = {
    "india": (
        _pool(
            "Arjun Kavita Rahul Sunita Vikram Anjali Deepak Meena Suresh Pooja Imran Farida",
            "Patil Sharma Yadav Nair Shaikh Kulkarni Reddy Das Fernandes Singh Gowda Joshi",
        ),
        _pool("अर्जुन कविता राहुल सुनीता विक्रम दीपक", "पाटील शर्मा यादव सिंह जोशी वर्मा"),
        _pool("முருகன் கவிதா செல்வம் லட்சுமி", "குமார் ராஜன் சுந்தரம் பாண்டியன்"),
    ),
    "gulf": (
        _pool(
            "Ahmed Bilal Joseph Rashid Anwar Shaji Usman Ramesh Tariq Biju",
            "Khan Thomas Al-Mansoori Hussain Kutty Rahman Mathew Siddiqui",
        ),
        _pool("أحمد يوسف سعيد خالد ليلى عمر", "المنصوري حسين الكعبي إبراهيم صالح"),
    ),
    "singapore": (
        _pool(
            "Wei-Ming Hui-Ling Jun-Jie Siti Hafiz Kumaran Aisyah Boon-Kiat",
            "Tan Lim Lee Ng Wong Chua Rahmat Pillai",
            family_first=True,
        ),
        _pool("伟明 慧玲 俊杰 美华 志强", "陈 林 李 黄 王", family_first=True),
    ),
    "japan": (
        _pool(
            "健太 翔太 美咲 大輔 直樹 由美 拓也 さくら",
            "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村",
            family_first=True,
        ),
        _pool("Kenta Misaki Naoki Yumi Takuya", "Sato Suzuki Tanaka Ito Yamamoto"),
    ),
    "britain": (
        _pool(
            "James Olivia Mohammed Chidi Grace Liam Niamh Kwame Sophie Owen Zainab Callum",
            "Okafor Smith Evans Begum O'Connor Mensah Clarke Hughes Ali Brown Campbell Walsh",
        ),
    ),
    "germany": (
        _pool(
            "Jürgen Käthe Mehmet Anja Björn Ayşe Lukas Jörg Sabine Dmitri",
            "Müller Schröder Yılmaz Weiß Krüger Öztürk Schäfer Neumann Köhler Groß",
        ),
        _pool("Олена Андрій Тарас Ірина", "Шевченко Коваленко Бондар Мельник"),
    ),
    "france": (
        _pool(
            "Élodie François Amadou Inès Loïc Fatou Rémi Chloé Moussa",
            "Lefèvre Diallo Béranger Traoré Moreau Haddad Garçon Benoît",
        ),
    ),
    "greece": (
        _pool(
            "Γιώργος Μαρία Νίκος Ελένη Κώστας Δημήτρης Σοφία",
            "Παπαδόπουλος Νικολάου Γεωργίου Ιωάννου Βλάχος Καραγιάννης",
        ),
    ),
    "poland": (
        _pool(
            "Łukasz Małgorzata Piotr Zofia Paweł Grażyna Michał",
            "Wójcik Kowalczyk Zieliński Dąbrowski Lewandowski Woźniak",
        ),
        _pool("Олег Наталія Іван", "Кравчук Лисенко Мороз"),
    ),
    "america": (
        _pool(
            "Marcus Destiny José Linh Tyrone Ashley Miguel Keisha Duc Rosa Dwayne Yesenia",
            "Johnson Ramírez Nguyen Washington Peña Kowalski Brooks Muñoz Tran Carter Ortiz Begay",
        ),
    ),
}


def pick(rng: np.random.Generator, region: str) -> str:
    """A name of the region; the first pool is the commonest."""
    pools = POOLS[region]
    odds = np.array([3.0, *[1.0] * (len(pools) - 1)])
    given, family, family_first = pools[rng.choice(len(pools), p=odds / odds.sum())]
    first, last = given[rng.integers(len(given))], family[rng.integers(len(family))]
    return f"{last} {first}" if family_first else f"{first} {last}"
